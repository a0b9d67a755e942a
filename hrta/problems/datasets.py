"""Real data as problems: a data set of scikit-learn, a CSV file, or OpenML by name.

Inputs and targets are standardised with the mean and standard deviation of the training points.
Inputs that are constant on the training points, up to rounding, are removed. If the name ends in
_classes, the targets are classes; otherwise they are numbers.
"""

import warnings
from pathlib import Path
from urllib.error import URLError

import numpy as np

from hrta.problems.problem import Problem
from hrta.runtime.arguments import as_integer, check_one_of
from hrta.runtime.files import local_path
from hrta.runtime.imports import needed_by

with needed_by("hrta.problems.datasets"):
    import pandas as pd

# The data sets that scikit-learn includes, and the target of each.
INCLUDED = {
    "diabetes": "progression of the disease after a year",
    "digits": "the digit, 0 to 9, from 8 x 8 pixels",
    "digits_classes": "one of ten digits; 500 training and 1297 test points",
    "wine": "the cultivar, 0 to 2, from a chemical analysis",
    "breast_cancer": "0 malignant, 1 benign",
    "iris": "the species, 0 to 2",
}
# The suffix of the names of data sets with classes.
CLASSES = "_classes"
TEST_FRACTION = 0.2
# Training points of a data set with classes: with all points a deep network would take hours.
CLASS_POINTS = 500
# A column is constant if its values differ by less, relative to the largest: some roundings.
ROUNDING = 4 * np.finfo(np.float64).eps


def load(name: str, seed: int = 0) -> Problem:
    """A data set that scikit-learn includes; needs no network connection.

    Args:
        name: one of INCLUDED.
        seed: seed of the split into training and test points.

    Raises:
        ValueError: an unknown name (the message lists the allowed ones), or a seed that is not a
            non-negative integer.
    """
    check_one_of(name, INCLUDED, "data set: name")
    with needed_by("hrta.problems.datasets.load"):
        from sklearn import datasets

    data = getattr(datasets, f"load_{name.removesuffix(CLASSES)}")(as_frame=True)
    return _problem(name, data.data, data.target, seed, classes=name.endswith(CLASSES))


def read_csv(path: str | Path, target: str, seed: int = 0) -> Problem:
    """A CSV file with a header; every column but the target is an input.

    A file with several targets needs a copy for each, without the others: they would be inputs.

    Args:
        path: the file.
        target: name of the target column.
        seed: as for `load`.

    Raises:
        ValueError: the file is missing, not on this machine or not a CSV, two columns have one
            name, a column has none, the target does not exist or is constant, a row has more
            fields than the header, a value is missing or not a number, or there are too few rows;
            the message says where.
    """
    table = _read_table(local_path(path))
    check_one_of(target, list(table.columns), f"{path}: target")
    return _problem(Path(path).stem, table.drop(columns=target), table[target], seed)


def _read_table(path: Path) -> pd.DataFrame:
    """The table of a CSV file whose columns have names that differ."""
    try:
        # Otherwise pandas drops the surplus fields, or takes the first column for row labels.
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            header = pd.read_csv(path, header=None, nrows=1, dtype=str, index_col=False).iloc[0]
            table = pd.read_csv(path, index_col=False)
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file") from None
    except pd.errors.ParserWarning:
        raise ValueError(f"{path}: a row has more fields than the header") from None
    except (ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: not a readable CSV ({reason})") from None
    if header.isna().any():
        raise ValueError(f"{path}: column {1 + header.isna().argmax()} must have a name")
    if header.duplicated().any():
        raise ValueError(f"{path}: two columns have the name {header[header.duplicated()].iloc[0]}")
    return table


def fetch_openml(name: str, seed: int = 0) -> Problem:
    """A data set of openml.org by name; needs a network connection the first time.

    Raises:
        ValueError: the data set is not available, or a value in it is not a number.
    """
    with needed_by("hrta.problems.datasets.fetch_openml"):
        from sklearn.datasets import fetch_openml as fetch

    try:
        data = fetch(name, version="active", as_frame=True, parser="pandas")
    except (URLError, OSError, ValueError) as error:
        raise ValueError(f"OpenML {name!r}: not available ({error})") from None
    return _problem(name, data.data, data.target, seed)


def _problem(
    name: str, x: pd.DataFrame, y: pd.Series, seed: int, *, classes: bool = False
) -> Problem:
    seed = as_integer(seed, f"{name}: seed", least=0)
    table = _as_numbers(name, pd.concat([x, y.rename("target " + str(y.name))], axis=1))
    order = np.random.default_rng(seed).permutation(len(table))
    test = len(table) - CLASS_POINTS if classes else round(TEST_FRACTION * len(table))
    if test < 1 or len(table) - test < 2:
        raise ValueError(f"{name}: there must be at least 3 rows; there are {len(table)}")
    values = table.to_numpy()[order]
    standardised, varies = _standardised(values, test)
    if not varies[-1]:
        raise ValueError(f"{name}: the target must not be constant on the training points")
    if not varies[:-1].any():
        raise ValueError(f"{name}: at least one input must vary on the training points")
    x, y = standardised[:, :-1][:, varies[:-1]], (values if classes else standardised)[:, -1]
    count = int(y.max()) + 1 if classes else None
    return Problem(name, x[test:], y[test:], x[:test], y[:test], count)


def _as_numbers(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table as float64; raises a ValueError for the first value that is no finite number."""
    for column in table:
        values = pd.to_numeric(table[column], errors="coerce")
        wrong = np.flatnonzero(~np.isfinite(values.astype(float)))
        if len(wrong):
            given = table[column].iloc[wrong[0]]
            raise ValueError(
                f"{name}: column {str(column).removeprefix('target ')!r}, row {wrong[0] + 1}: "
                f"the value must be a number; it is {str(given)!r}"
            )
        table[column] = values.astype(float)
    return table


def _standardised(values: np.ndarray, test: int) -> tuple[np.ndarray, np.ndarray]:
    """All rows by mean and deviation of the rows from `test` on, and which columns vary there."""
    largest = np.abs(values[test:]).max(axis=0)
    # By powers of two, which rounds nothing: squares of large values would overflow.
    scaled = np.ldexp(values, -np.frexp(largest)[1])
    trained = scaled[test:]
    varies = np.ptp(trained, axis=0) > ROUNDING * np.abs(trained).max(axis=0)
    return (scaled - trained.mean(axis=0)) / np.where(varies, trained.std(axis=0), 1), varies
