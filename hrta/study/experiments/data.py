"""The points of a problem, as a table."""

from pathlib import Path

from hrta.problems.files import problem_table
from hrta.study.config.training import DataSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem


def run(spec: DataSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """The points, as rows of `POINTS` with a column for each coordinate and the target."""
    return Outcome(problem_table(load_problem(spec.problem)), "float64")
