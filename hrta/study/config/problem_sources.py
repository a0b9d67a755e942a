"""The sources of the points of a job."""

from typing import Annotated, Literal

from pydantic import Field

from hrta.study.config.values import Points, Strict


class SampledProblem(Strict):
    """A synthetic problem: a grid of training points and random test points.

    Attributes:
        name: of the target function.
        points: number of training points; by default that of the target.
        test_points: number of test points.
        seed: of the test points.
        file: file of the points; they are sampled if not given.
        digest: SHA-256 that the points must have, if given.
    """

    source: Literal["sampled"] = "sampled"
    name: str
    points: Points | None = None
    test_points: Points = 200
    seed: Annotated[int, Field(ge=0)] = 0
    file: str | None = None
    digest: str | None = None


class DataSet(Strict):
    """A set of real data that ships inside scikit-learn.

    Attributes:
        name: of the set.
        seed: of the split into training and test points.
        file: file of the points; they are loaded from scikit-learn if not given.
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
    """A data set of openml.org, by name."""

    source: Literal["openml"] = "openml"
    name: str


ProblemSource = Annotated[
    SampledProblem | DataSet | StoredProblem | CsvTable | OpenmlData, Field(discriminator="source")
]
