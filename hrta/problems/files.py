"""Problems on disk: Parquet, with a SHA-256 beside it."""

from pathlib import Path

import pandas as pd

from hrta.problems.problem import Problem
from hrta.runtime.files import read_tables, sha256, whole_file, write_table


def write_problem(problem: Problem, path: str | Path) -> None:
    """The problem as Parquet, with its SHA-256 beside it."""
    write_table(problem_table(problem), path)
    write_checksum(path)


def write_checksum(path: str | Path) -> None:
    """The SHA-256 of a file beside it, in a form that `sha256sum -c` reads."""
    with whole_file(f"{path}.sha256") as temporary:
        temporary.write_text(f"{sha256(path)}  {Path(path).name}\n")


def problem_table(problem: Problem) -> pd.DataFrame:
    """Columns: set ("train" or "test"), problem, x1 .. xd, y: numbers, or classes as integers."""
    parts = {"train": (problem.x, problem.y)}
    if problem.x_test is not None:
        parts["test"] = (problem.x_test, problem.y_test)
    frames = []
    for name, (x, y) in parts.items():
        frame = pd.DataFrame(x, columns=[f"x{i + 1}" for i in range(problem.inputs)])
        frame.insert(0, "set", name)
        frame.insert(1, "problem", problem.name)
        frames.append(frame.assign(y=y))
    return pd.concat(frames, ignore_index=True)


def read_problem(path: str | Path) -> Problem:
    """A problem as `write_problem` wrote it.

    Raises:
        ValueError: a file that is missing, not whole, not a problem, or not of the SHA-256 beside
            it (where there is one).
    """
    table = read_tables(path)
    recorded = Path(f"{path}.sha256")
    if recorded.exists() and recorded.read_text().split()[:1] != [sha256(path)]:
        raise ValueError(f"{path}: its content is not that of {recorded}; make the data again")
    inputs = [f"x{i + 1}" for i in range(sum(c[1:].isdigit() for c in table.columns))]
    if not inputs or list(table.columns) != ["set", "problem", *inputs, "y"]:
        raise ValueError(
            f"{path}: not a problem; its columns are {', '.join(table.columns)} and should be "
            "set, problem, x1 .. xd, y"
        )
    train, test = table[table["set"] == "train"], table[table["set"] == "test"]
    held_out = (test[inputs].to_numpy(), test["y"].to_numpy()) if len(test) else (None, None)
    name = str(table["problem"].iloc[0])
    # Every class has a training point, so the last one is there.
    classes = int(train["y"].max()) + 1 if table["y"].dtype.kind == "i" else None
    return Problem(name, train[inputs].to_numpy(), train["y"].to_numpy(), *held_out, classes)
