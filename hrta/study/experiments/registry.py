"""The modules that run a spec, by name: a job imports, and depends on, only these."""

from importlib import import_module
from pathlib import Path

from hrta.study.config.base_spec import Spec
from hrta.study.config.problem_sources import DataSet
from hrta.study.config.race_spec import RaceSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import DATASETS
from hrta.training.engines import ADAPTIVE_SLOPES, DEEP_RITZ, TWO_LAYER

EXPERIMENTS = "hrta.study.experiments"
# The engines of what jobs of a kind, and trainers of a race, minimise; those of others are imported
# by the module that runs the job.
OF_JOBS = {
    **dict.fromkeys(("train", "sweep", "theory motion", "theory rates", "acceleration"), TWO_LAYER),
    "poisson": DEEP_RITZ,
    **dict.fromkeys(("slopes", "laaf"), ADAPTIVE_SLOPES),
}
OF_TRAINERS = {"gradient": TWO_LAYER, "laaf": ADAPTIVE_SLOPES}


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
        automatic: the compiled engine for the device where the job runs, numba or triton.
    """
    modules = [module_of(spec)]
    if isinstance(spec, RaceSpec):
        modules += [f"{EXPERIMENTS}.trainers.{trainer}" for trainer in sorted(spec.trainers)]
    modules += engine_modules_of(spec, automatic)
    if any(isinstance(each, DataSet) and each.file is None for each in spec.sources):
        modules.append(DATASETS)
    return modules


def engine_modules_of(spec: Spec, automatic: str) -> list[str]:
    """The dotted names of the modules of the engines that train the networks of a spec."""
    objectives = [OF_JOBS[spec.job]] if spec.job in OF_JOBS else []
    if isinstance(spec, RaceSpec):
        objectives += [OF_TRAINERS[each] for each in sorted(spec.trainers & OF_TRAINERS.keys())]
    modules = []
    for engines in objectives:
        name = getattr(spec, "engine", "auto")
        if name == "auto":
            name = automatic if automatic in engines else "torch"
        module, _ = engines[name]
        modules.append(module)
    return modules
