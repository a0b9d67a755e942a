"""Extremal eigenvalues of the tangent kernel against the number of points."""

from pathlib import Path

import pandas as pd

from hrta.ntk.eigenvalues import extremal_eigenvalues
from hrta.ntk.matrices import gram
from hrta.study.analysis.schema import SAMPLE_NUMBER
from hrta.study.config.theory import SampleNumberSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem


def run(
    spec: SampleNumberSpec, progress: Progress = quiet, checkpoint: Path | None = None
) -> Outcome:
    """Smallest and largest eigenvalue of the infinite-width Gram matrix for several n.

    Returns:
        Rows of `SAMPLE_NUMBER`.
    """
    problems = [load_problem(each) for each in spec.problems]
    cases = [(problem, s) for problem in problems for s in spec.s]
    rows = []
    for done, (problem, s) in enumerate(cases, start=1):
        smallest, largest = extremal_eigenvalues(gram(problem.x, s))
        rows.append(
            {
                "experiment": spec.experiment,
                "problem": problem.name,
                "s": s,
                "points": len(problem.x),
                "smallest": smallest,
                "largest": largest,
            }
        )
        progress(done, len(cases))
    return Outcome(pd.DataFrame(rows, columns=SAMPLE_NUMBER.columns), "float64")
