"""Real data: what ships with scikit-learn, CSV files, and what is wrong with them."""

from urllib.error import URLError

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets

from hrta.problems import datasets, files


@pytest.mark.parametrize("name", datasets.INCLUDED)
def test_included_sets_are_standardised_and_split(name):
    problem = datasets.load(name)
    rows = len(problem.y) + len(problem.y_test)
    np.testing.assert_allclose(problem.x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(problem.x.std(axis=0), 1, rtol=1e-12)
    if problem.classes is None:
        assert len(problem.y_test) == round(0.2 * rows)
        assert problem.y.std() == pytest.approx(1)
    else:
        assert len(problem.y) == datasets.CLASS_POINTS
        assert set(problem.y) == set(problem.y_test) == set(range(problem.classes))
    again, other = datasets.load(name), datasets.load(name, seed=1)
    np.testing.assert_array_equal(problem.x, again.x)
    assert not np.array_equal(problem.x, other.x)


def test_rows_stay_together():
    data = sklearn.datasets.load_diabetes(as_frame=True)
    problem = datasets.load("diabetes")
    both = np.concatenate([problem.y, problem.y_test])
    first = np.concatenate([problem.x[:, 2], problem.x_test[:, 2]])
    given = data.frame.to_numpy()
    assert np.corrcoef(both, first)[0, 1] == pytest.approx(
        np.corrcoef(given[:, -1], given[:, 2])[0, 1], rel=1e-10
    )


def test_classes_are_the_labels():
    given = sklearn.datasets.load_digits()
    problem = datasets.load("digits_classes")
    assert (problem.classes, len(problem.y_test)) == (10, 1297)
    labels = np.concatenate([problem.y_test, problem.y])
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(given.target))
    # The same split as of the digits as numbers, as far as the points go.
    numbers = datasets.load("digits")
    np.testing.assert_array_equal(np.unique(numbers.y_test, return_inverse=True)[1], labels[:359])


def test_a_csv_file_is_a_problem(tmp_path):
    table = pd.DataFrame(
        {"a": range(10), "y": np.arange(10) ** 2, "same": 3, "b": range(10, 0, -1)}
    )
    table.to_csv(tmp_path / "mine.csv", index=False)
    problem = datasets.read_csv(tmp_path / "mine.csv", "y")
    assert problem.name == "mine"
    assert problem.x.shape == (8, 2)
    assert problem.x_test.shape == (2, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,y\n1,2\n2,\n3,4\n", "column 'y', row 2: the value must be a number; it is 'nan'"),
        ("a,y\n1,2\nred,3\n3,4\n", "column 'a', row 2: the value must be a number; it is 'red'"),
        ("a,y\n1,2\n", "there must be at least 3 rows; there are 1"),
        ("a,z\n1,2\n2,3\n3,4\n", "target must be one of a, z; it is 'y'"),
        ("", "not a readable CSV"),
        ("a,y\n1,2\n2,2\n3,2\n4,2\n", "the target must not be constant"),
        ("a,y\n1,2\n1,3\n1,4\n1,5\n", "at least one input must vary"),
        ("y\n1\n2\n3\n4\n", "at least one input must vary"),
        ("a,y\n" + "".join(f"{n},0.1\n" for n in range(40)), "the target must not be constant"),
        ("a,y\n" + "".join(f"0.1,{n}\n" for n in range(40)), "at least one input must vary"),
        ("a,y\n1,2,9\n2,3,9\n3,4,9\n4,5,9\n", "a row has more fields than the header"),
        ("a,y\n1,2,9\n2,3\n3,4\n4,5\n", "a row has more fields than the header"),
        ("a,y\n1,2\n2,3\n3,4,9\n4,5\n", "Expected 2 fields in line 4, saw 3"),
        ("a,y,y\n1,2,3\n2,3,4\n3,4,5\n", "two columns have the name y"),
        (",a,y\n1,2,3\n2,3,4\n3,4,5\n", "column 1 must have a name"),
    ],
)
def test_a_csv_file_that_makes_no_problem_is_refused(tmp_path, content, message):
    (tmp_path / "mine.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        datasets.read_csv(tmp_path / "mine.csv", "y")


def test_columns_that_are_constant_up_to_rounding_are_removed(tmp_path):
    """The mean of many 0.1 is not 0.1, so their deviation is not 0."""
    rows = "".join(f"0.1,{0.3 if n % 2 else 0.1 + 0.2},{n},{n % 5}\n" for n in range(40))
    (tmp_path / "mine.csv").write_text("same,rounded,a,y\n" + rows)
    assert datasets.read_csv(tmp_path / "mine.csv", "y").x.shape == (32, 1)


@pytest.mark.parametrize("power", [-990, -600, 600, 990])
def test_large_and_small_values_are_standardised_as_others(tmp_path, power):
    """Scaled by 2^power the problem is the same, up to the digits in the file."""
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)), columns=["a", "b", "y"])
    table.to_csv(tmp_path / "mine.csv", index=False)
    np.ldexp(table, power).to_csv(tmp_path / "scaled.csv", index=False)
    given, scaled = (datasets.read_csv(tmp_path / f"{n}.csv", "y") for n in ("mine", "scaled"))
    np.testing.assert_allclose(scaled.x, given.x, rtol=1e-13)
    np.testing.assert_allclose(scaled.y, given.y, rtol=1e-13)


@pytest.mark.parametrize(
    "address",
    ["https://example.org/a.csv", "https:/example.org/a.csv", "s3://a/b.csv", "file:///a"],
)
def test_addresses_are_not_fetched(address):
    for read in (lambda path: datasets.read_csv(path, "y"), files.read_problem):
        with pytest.raises(ValueError, match="must be that of a file on this machine"):
            read(address)


def test_missing_files_and_data_sets_are_refused(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="there is no such file"):
        datasets.read_csv(tmp_path / "none.csv", "y")
    with pytest.raises(
        ValueError, match=r"name must be one of diabetes, digits, .*; it is 'abalone'"
    ):
        datasets.load("abalone")

    def no_network(*_, **__):
        raise URLError("no route")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", no_network)
    with pytest.raises(ValueError, match=r"OpenML 'abalone': not available .*no route"):
        datasets.fetch_openml("abalone")
