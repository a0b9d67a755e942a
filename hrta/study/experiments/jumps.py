"""The loss that the linearised network expects just after each switch of s."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pandas as pd

from hrta.ntk.linearised import expected_jump
from hrta.problems.problem import Problem


def jump_table(
    problem: Problem, experiment: str, methods: Mapping[str, Sequence[float]]
) -> pd.DataFrame:
    """`expected_jump` at every switch of every method.

    Returns:
        Tidy table of experiment, problem, method, before, after (s), expected_loss.
    """
    rows = [
        {
            "experiment": experiment,
            "problem": problem.name,
            "method": method,
            "before": before,
            "after": after,
            "expected_loss": expected_jump(problem, before, after),
        }
        for method, s in methods.items()
        for before, after in pairwise(s)
    ]
    return pd.DataFrame(rows)
