"""Problems and specs of tests' own."""

import atexit
import shutil
import tempfile
from pathlib import Path

from hrta.problems.files import write_problem
from hrta.study.config.problem_sources import StoredProblem
from hrta.study.config.training import TrainingSpec

FOLDER = Path(tempfile.mkdtemp())
atexit.register(shutil.rmtree, FOLDER)


def stored(problem):
    """A problem in a file, as a spec names it."""
    file = FOLDER / f"{problem.digest}.parquet"
    write_problem(problem, file)
    return StoredProblem(file=str(file))


def training_spec(problem, **changes):
    """A small ensemble of two methods on two learning rates."""
    fields = {
        "experiment": "mine",
        "problem": problem,
        "width": 11,
        "methods": {"relu": [1, 1], "relaxation": [1, 1.5]},
        "stage_steps": 6,
        "optimizer": "adam",
        "learning_rates": [0.01, 0.03],
        "seeds": 3,
        "log_every": 4,
        "dtype": "float32",
        "device": "cpu",
        "engine": "auto",
    }
    return TrainingSpec(**fields | changes)
