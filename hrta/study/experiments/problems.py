"""Load the points of a problem from its source."""

from importlib import import_module
from pathlib import Path

from hrta.problems.files import read_problem
from hrta.problems.problem import Problem
from hrta.runtime.files import UnreadableError
from hrta.study.config.problem_sources import (
    CsvTable,
    DataSet,
    OpenmlData,
    ProblemSource,
    SampledProblem,
    StoredProblem,
)

# Imported by name, so that a job depends on its points, which the digest in its spec fixes, and not
# on the module that makes the points of all problems.
TARGETS = "hrta.problems.targets"
DATASETS = "hrta.problems.datasets"


def load_problem(source: ProblemSource) -> Problem:
    """The points of a source.

    Raises:
        ValueError: an unknown name.
        UnreadableError: a file that cannot be read, or points of another problem or with another
            digest than the source has.
    """
    match source:
        case StoredProblem():
            return read_problem(source.file)
        case CsvTable():
            return import_module(DATASETS).read_csv(source.file, source.target)
        case OpenmlData():
            return import_module(DATASETS).fetch_openml(source.name)
    problem = _made(source) if source.file is None else _stored(source.file)
    digest = source.digest if isinstance(source, SampledProblem) else None
    if problem.name != source.name or digest not in (None, problem.digest):
        wanted = f"{source.name} with digest {digest[:12]}" if digest else source.name
        why = (
            f"the points are those of {problem.name} with digest {problem.digest[:12]}, the spec "
            f"has {wanted}; make the data again"
        )
        if source.file is None:
            raise ValueError(f"{source.name}: {why}")
        raise UnreadableError(source.file, f"{source.file}: {why}")
    return problem


def _stored(file: str) -> Problem:
    """The points that a job has written."""
    try:
        return read_problem(file)
    except ValueError as error:
        if isinstance(error, UnreadableError) or not Path(file).exists():
            raise
        raise UnreadableError(file, error) from None


def _made(source: SampledProblem | DataSet) -> Problem:
    if isinstance(source, DataSet):
        return import_module(DATASETS).load(source.name, source.seed)
    return import_module(TARGETS).make_problem(
        source.name, source.points, source.test_points, source.seed
    )
