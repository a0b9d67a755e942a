"""The expected loss of the linearised network just after each switch of s."""

from itertools import pairwise
from pathlib import Path

import pandas as pd

from hrta.ntk.linearised import expected_jump
from hrta.study.analysis.schema import JUMPS
from hrta.study.config.theory import JumpsSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem


def run(spec: JumpsSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """`expected_jump` at every switch of every method.

    Returns:
        Rows of `JUMPS`; before and after are values of s.
    """
    problem = load_problem(spec.problem)
    rows = [
        {
            "experiment": spec.experiment,
            "problem": problem.name,
            "method": method,
            "before": before,
            "after": after,
            "expected_loss": expected_jump(problem, before, after),
        }
        for method, s in spec.methods.items()
        for before, after in pairwise(s)
    ]
    return Outcome(pd.DataFrame(rows, columns=JUMPS.columns), "float64")
