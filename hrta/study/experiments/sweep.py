"""Many small ensembles, one after another in one process: a sweep pays for its imports once."""

from collections.abc import Sequence

import pandas as pd
import torch

from hrta.problems.problem import Problem
from hrta.study.experiments.ensembles import Ensemble, train_ensemble
from hrta.training.loop import Progress


def train_all(
    ensembles: Sequence[tuple[Problem, Ensemble]],
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, dict[str, object]]:
    """Train each ensemble on its problem; the numbers are those of `train_ensemble` for each alone.

    Args:
        ensembles: problem and ensemble of each.
        device: where.
        progress: called with the number of ensembles trained and of all.

    Returns:
        The rows of all, in order, with the columns of `train_ensemble`; and what else there is to
        record: the engines, and the diverged runs as a list of {experiment, width, method,
        learning_rate, seed, step}.

    Raises:
        ValueError: no ensemble, or as `train_ensemble`.
    """
    if not ensembles:
        raise ValueError("a sweep must have at least one ensemble")
    tables, engines, diverged = [], set(), []
    for done, (problem, ensemble) in enumerate(ensembles):
        if progress is not None:
            progress(done, len(ensembles))
        table, facts = train_ensemble(problem, ensemble, device)
        tables.append(table)
        engines.add(facts["engine"])
        of = {"experiment": ensemble.experiment, "width": ensemble.width}
        diverged += [of | run for run in facts["diverged"]]
    if progress is not None:
        progress(len(ensembles), len(ensembles))
    return _joined(tables), {"engine": ", ".join(sorted(engines)), "diverged": diverged}


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all; categories in the order in which they come."""
    joined = pd.concat(tables, ignore_index=True)
    for name in tables[0].select_dtypes("category"):
        values = joined[name].astype(object)
        joined[name] = pd.Categorical(values, categories=values.unique())
    return joined
