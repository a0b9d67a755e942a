"""How the tangent kernel's extremal eigenvalues depend on the number of points."""

from collections.abc import Callable, Sequence

import pandas as pd

from hrta.ntk.eigenvalues import extremal_eigenvalues
from hrta.ntk.matrices import gram
from hrta.problems.problem import Problem


def sample_number_table(
    problems: Sequence[Problem],
    experiment: str,
    s_values: Sequence[float],
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Smallest and largest eigenvalue of the infinite-width Gram matrix for several n.

    Args:
        problems: the same with different numbers of points.
        experiment: what results call it.
        s_values: homotopy parameters in [0, 2].
        progress: called with the number of matrices done and their number.

    Returns:
        Tidy table of experiment, problem, s, points, smallest, largest.
    """
    cases = [(problem, s) for problem in problems for s in s_values]
    rows = []
    for done, (problem, s) in enumerate(cases, start=1):
        smallest, largest = extremal_eigenvalues(gram(problem.x, s))
        rows.append({"s": s, "points": len(problem.x), "smallest": smallest, "largest": largest})
        if progress is not None:
            progress(done, len(cases))
    table = pd.DataFrame(rows)
    table.insert(0, "problem", problems[0].name)
    table.insert(0, "experiment", experiment)
    return table
