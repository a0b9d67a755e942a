"""Many small ensembles, trained one after another in one process, with one start-up time."""

from pathlib import Path

import pandas as pd

from hrta.study.config.sweep import SweepSpec
from hrta.study.experiments.devices import choose_device
from hrta.study.experiments.ensembles import train_ensemble
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem


def run(spec: SweepSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """Train each ensemble on its problem; the results are those of the same ensemble alone.

    Returns:
        Rows of `TRAINING` of all ensembles, in order; as facts the engines, and the diverged runs
        as a list of {experiment, width, method, learning_rate, seed, step}.

    Raises:
        ValueError: as for one ensemble.
    """
    device = choose_device(spec.device)
    problems = {name: load_problem(source) for name, source in spec.problems.items()}
    outcomes, diverged = [], []
    for done, each in enumerate(spec.ensembles):
        progress(done, len(spec.ensembles))
        outcome = train_ensemble(problems[each.experiment], spec.alone(each), device)
        outcomes.append(outcome)
        cell = {"experiment": each.experiment, "width": each.width}
        diverged += [cell | run for run in outcome.facts["diverged"]]
    progress(len(spec.ensembles), len(spec.ensembles))
    engines = sorted({outcome.facts["engine"] for outcome in outcomes})
    return Outcome(
        _joined([outcome.table for outcome in outcomes]),
        spec.dtype,
        device=outcomes[0].device,
        facts={"engine": ", ".join(engines), "diverged": diverged},
    )


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all tables; categories in order of their first row."""
    joined = pd.concat(tables, ignore_index=True)
    for name in tables[0].select_dtypes("category"):
        values = joined[name].astype(object)
        joined[name] = pd.Categorical(values, categories=values.unique())
    return joined
