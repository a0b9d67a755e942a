"""Where the points of a job come from."""

from typing import Annotated, Literal

from pydantic import Field

from hrta.study.config.values import Count, Strict


class SampledProblem(Strict):
    """A synthetic problem: a grid of training points and random test points.

    Attributes:
        name: of the target function.
        points: training points; the target's own number if not given.
        test_points: test points.
        seed: of the test points.
        file: where the points are kept; sampled anew if not given.
        digest: SHA-256 of the points, which they must have if it is given.
    """

    source: Literal["sampled"] = "sampled"
    name: str
    points: Count | None = None
    test_points: Count = 200
    seed: Annotated[int, Field(ge=0)] = 0
    file: str | None = None
    digest: str | None = None


class DataSet(Strict):
    """A set of real data that ships inside scikit-learn.

    Attributes:
        name: of the set.
        seed: of the split into training and test points.
        file: where the points are kept; loaded anew if not given.
    """

    source: Literal["data_set"] = "data_set"
    name: str
    seed: Annotated[int, Field(ge=0)] = 0
    file: str | None = None


class StoredProblem(Strict):
    """A Parquet file written by `hrta data`."""

    source: Literal["stored"] = "stored"
    file: str


class CsvTable(Strict):
    """A CSV file with a header, and the column to predict."""

    source: Literal["csv"] = "csv"
    file: str
    target: str


class OpenmlData(Strict):
    """A data set of openml.org by its name."""

    source: Literal["openml"] = "openml"
    name: str


ProblemSource = Annotated[
    SampledProblem | DataSet | StoredProblem | CsvTable | OpenmlData, Field(discriminator="source")
]
