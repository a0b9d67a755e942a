"""Problems on disk: a Parquet file and a file with its SHA-256."""

from pathlib import Path

from hrta.problems.problem import Problem
from hrta.runtime.arguments import check_type
from hrta.runtime.files import local_path, read_tables, sha256, whole_file, write_table
from hrta.runtime.imports import needed_by

with needed_by("hrta.problems.files"):
    import pandas as pd


def write_problem(problem: Problem, path: str | Path) -> None:
    """Write the problem as Parquet, and its SHA-256 to a second file.

    Raises:
        ValueError: problem is not a `Problem`, or path not that of a file on this machine.
    """
    check_type(problem, Problem, "write_problem: problem")
    path = local_path(path)
    write_table(problem_table(problem), path)
    write_checksum(path)


def write_checksum(path: str | Path) -> None:
    """Write the SHA-256 of a file to PATH.sha256, in the format of `sha256sum -c`."""
    with whole_file(f"{path}.sha256") as temporary:
        temporary.write_text(f"{sha256(path)}  {Path(path).name}\n")


def problem_table(problem: Problem) -> pd.DataFrame:
    """The table of a problem: set ("train" or "test"), problem, x1 .. xd, y (classes: integers)."""
    parts = {"train": (problem.x, problem.y)}
    if problem.x_test is not None and problem.y_test is not None:
        parts["test"] = (problem.x_test, problem.y_test)
    frames = []
    for name, (x, y) in parts.items():
        frame = pd.DataFrame(x, columns=[f"x{i + 1}" for i in range(problem.inputs)])
        frame.insert(0, "set", name)
        frame.insert(1, "problem", problem.name)
        frames.append(frame.assign(y=y))
    return pd.concat(frames, ignore_index=True)


def read_problem(path: str | Path) -> Problem:
    """Read a problem that `write_problem` wrote.

    Raises:
        ValueError: the file is missing, incomplete or not a problem, or its SHA-256 is not the one
            in PATH.sha256 (if that file exists).
    """
    table = read_tables(path)
    recorded = Path(f"{path}.sha256")
    if recorded.exists() and recorded.read_text().split()[:1] != [sha256(path)]:
        raise ValueError(f"{path}: its SHA-256 must be that in {recorded}; make the data again")
    inputs = [f"x{i + 1}" for i in range(sum(c[1:].isdigit() for c in table.columns))]
    if not inputs or list(table.columns) != ["set", "problem", *inputs, "y"]:
        raise ValueError(
            f"{path}: columns must be set, problem, x1 .. xd, y; they are "
            f"{', '.join(table.columns)}"
        )
    train, test = table[table["set"] == "train"], table[table["set"] == "test"]
    name = str(table["problem"].iloc[0])
    # Every class has a training point.
    classes = int(train["y"].max()) + 1 if table["y"].dtype.kind == "i" else None
    return Problem(
        name,
        x=train[inputs].to_numpy(),
        y=train["y"].to_numpy(),
        x_test=test[inputs].to_numpy() if len(test) else None,
        y_test=test["y"].to_numpy() if len(test) else None,
        classes=classes,
    )
