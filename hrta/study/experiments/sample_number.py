"""Extremal eigenvalues of the tangent kernel against the number of points."""

from pathlib import Path

import pandas as pd

from hrta.ntk.extremes import extremal_eigenvalues
from hrta.study.analysis.schema import SAMPLE_NUMBER
from hrta.study.config.theory import SampleNumberSpec
from hrta.study.experiments.devices import choose_device, name_of
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem


def run(
    spec: SampleNumberSpec, progress: Progress = quiet, checkpoint: Path | None = None
) -> Outcome:
    """Smallest and largest eigenvalue of the infinite-width Gram matrix for several n.

    Returns:
        Rows of `SAMPLE_NUMBER`.
    """
    device, rows = choose_device(spec.device), []
    for done, source in enumerate(spec.problems, start=1):
        problem = load_problem(source)
        eigenvalues = extremal_eigenvalues(problem.x, spec.s, device)
        rows += [
            {
                "experiment": spec.experiment,
                "problem": problem.name,
                "s": s,
                "points": len(problem.x),
                "smallest": smallest,
                "largest": largest,
            }
            for s, (smallest, largest) in zip(spec.s, eigenvalues, strict=True)
        ]
        progress(done, len(spec.problems))
    table = pd.DataFrame(rows, columns=SAMPLE_NUMBER.columns)
    return Outcome(table, "float64", device=name_of(device))
