import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from hrta import Problem
from hrta.problems.files import read_problem, write_problem
from hrta.runtime import files as results
from hrta.runtime.provenance import provenance

TABLE = pd.DataFrame({"run": [0, 1], "method": pd.Categorical(["relu", "relaxed"]), "loss": [1, 2]})


def test_tables_come_back(tmp_path):
    results.write_table(TABLE, tmp_path / "a.parquet")
    results.write_table(TABLE.assign(method="other"), tmp_path / "b.parquet")
    table = results.read_tables(tmp_path / "a.parquet", tmp_path / "b.parquet")
    assert table["method"].tolist() == ["relu", "relaxed", "other", "other"]
    assert table["method"].dtype == "category"
    assert table["loss"].tolist() == [1, 2, 1, 2]


def test_the_same_table_gives_the_same_bytes(tmp_path):
    results.write_table(TABLE, tmp_path / "a.parquet")
    results.write_table(TABLE.copy(), tmp_path / "b.parquet")
    assert results.sha256(tmp_path / "a.parquet") == results.sha256(tmp_path / "b.parquet")


def test_sha256_is_hashlibs(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    assert results.sha256(file) == hashlib.sha256(b"abc").hexdigest()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("old")

    def fail_halfway():
        with results.whole_file(file) as temporary:
            temporary.write_text("half")
            assert file.read_text() == "old"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert file.read_text() == "old"


def test_what_a_killed_process_left_is_removed_but_not_what_a_live_one_writes(tmp_path):
    killed = """
import os, signal, sys
from hrta.runtime.files import whole_file
with whole_file(sys.argv[1]) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    file = tmp_path / "a.txt"
    subprocess.run([sys.executable, "-c", killed, str(file)], check=False)
    (left,) = tmp_path.iterdir()
    with results.whole_file(tmp_path / "b.txt") as other:
        other.write_text("another file's are left alone")
        assert left.exists()
    live = left.with_name(re.sub(r"-\d+-(\d+)\.", rf"-{os.getppid()}-\1.", left.name))
    live.write_text("being written")
    with results.whole_file(file) as temporary:
        temporary.write_text("whole")
    assert file.read_text() == "whole"
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "b.txt", live.name}


def test_two_threads_may_write_one_file(tmp_path):
    both = threading.Barrier(2)

    def write(text):
        with results.whole_file(tmp_path / "a.txt") as temporary:
            temporary.write_text(text)
            both.wait()
        return text

    with ThreadPoolExecutor(2) as pool:
        written = set(pool.map(write, ["one", "two"]))
    assert (tmp_path / "a.txt").read_text() in written
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("with_test", [True, False])
def test_problems_come_back_with_their_checksum(tmp_path, small_problem, with_test):
    file = tmp_path / "small.parquet"
    given = small_problem
    if not with_test:
        given = Problem("small", given.x, given.y)
    write_problem(given, file)
    problem = read_problem(file)
    assert problem.name == "small"
    np.testing.assert_array_equal(problem.x, given.x)
    np.testing.assert_array_equal(problem.y, given.y)
    if with_test:
        np.testing.assert_array_equal(problem.x_test, given.x_test)
        np.testing.assert_array_equal(problem.y_test, given.y_test)
    else:
        assert problem.x_test is None
    check = ["sha256sum", "--check", "--quiet", f"{file.name}.sha256"]
    subprocess.run(check, cwd=tmp_path, check=True)


def test_classes_come_back_as_classes(tmp_path):
    x = np.arange(4.0)[:, None]
    for name, rest in {"a": (x[:2], [1, 0]), "b": (None, None)}.items():
        write_problem(Problem("mine", x, [0, 2, 1, 1], *rest, 3), tmp_path / name)
        problem = read_problem(tmp_path / name)
        assert problem.classes == 3
        assert problem.y.tolist() == [0, 2, 1, 1]
    write_problem(Problem("mine", x, [0, 2, 1, 1]), tmp_path / "c")
    assert read_problem(tmp_path / "c").classes is None


def test_unreadable_problems_are_refused(tmp_path, small_problem):
    file = tmp_path / "small.parquet"
    with pytest.raises(ValueError, match=r"small.parquet: there is no such file"):
        read_problem(file)
    write_problem(small_problem, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"small.parquet: not a readable result"):
        read_problem(file)
    other = Problem("small", small_problem.x + 1, small_problem.y)
    write_problem(other, tmp_path / "other.parquet")
    file.write_bytes((tmp_path / "other.parquet").read_bytes())
    with pytest.raises(
        ValueError, match=r"its SHA-256 must be that in .*small.parquet.sha256; make the data"
    ):
        read_problem(file)
    results.write_table(TABLE, tmp_path / "table.parquet")
    with pytest.raises(
        ValueError, match=r"columns must be set, problem, x1 .. xd, y; they are run, method, loss"
    ):
        read_problem(tmp_path / "table.parquet")


def test_provenance_names_versions_and_the_machine(tmp_path):
    record = provenance(wall_time=1.23456)
    assert record["versions"]["torch"]
    assert record["versions"]["hrta"] == "0.1.0"
    assert record["wall_time"] == 1.235
    assert record["platform"]
    assert record["cpu"]
    results.write_json(record, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text()) == record


def test_a_file_that_is_not_there_or_must_not_be_read_is_not_broken(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="there is no such file") as error:
        results.read_tables(tmp_path / "a.parquet")
    assert not isinstance(error.value, results.UnreadableError)

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(pd, "read_parquet", refuse)
    with pytest.raises(PermissionError):
        results.read_tables(tmp_path / "a.parquet")
