"""The modules that run a spec, by name: a job imports, and depends on, only these."""

from importlib import import_module
from pathlib import Path

from hrta.study.config.base_spec import Spec
from hrta.study.config.problem_sources import DataSet
from hrta.study.config.race_spec import RaceSpec
from hrta.study.config.sweep import SweepSpec
from hrta.study.config.training import TrainingSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import DATASETS
from hrta.training.engines import ENGINES

EXPERIMENTS = "hrta.study.experiments"
# Jobs that train with numba on a CPU, even if a GPU is available.
NUMBA_JOBS = ("theory motion", "theory rates", "acceleration")


def run(spec: Spec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """Run the experiment of a spec.

    Args:
        spec: what is computed.
        progress: called with the steps done and the total.
        checkpoint: file *.npz for the state; if it exists, the run resumes from it.

    Raises:
        ValueError: a spec that does not fit the problem, or a checkpoint of another computation.
    """
    return import_module(module_of(spec)).run(spec, progress, checkpoint)


def module_of(spec: Spec) -> str:
    """The dotted name of the module that runs a spec."""
    return f"{EXPERIMENTS}.{spec.module}"


def modules_of(spec: Spec, automatic: str) -> list[str]:
    """The dotted names of all modules that a result depends on, without those that they import.

    Args:
        spec: what is computed.
        automatic: the engine that `auto` selects where the job runs.
    """
    modules = [module_of(spec)]
    if isinstance(spec, RaceSpec):
        modules += [f"{EXPERIMENTS}.trainers.{trainer}" for trainer in sorted(spec.trainers)]
    if engine := engine_of(spec, automatic):
        module, _ = ENGINES[engine]
        modules.append(module)
    if any(isinstance(each, DataSet) and each.file is None for each in spec.sources):
        modules.append(DATASETS)
    return modules


def engine_of(spec: Spec, automatic: str) -> str | None:
    """The engine that trains the two-layer networks of a spec; None if it trains without one."""
    if isinstance(spec, TrainingSpec | SweepSpec):
        return automatic if spec.engine == "auto" else spec.engine
    raced = isinstance(spec, RaceSpec) and "gradient" in spec.trainers
    return "numba" if raced or spec.job in NUMBA_JOBS else None
