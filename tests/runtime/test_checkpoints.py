import numpy as np
import pandas as pd
import pytest

from hrta.runtime import checkpoints
from hrta.runtime.checkpoints import Checkpoint, Parts


@pytest.fixture(autouse=True)
def _as_often_as_can_be(monkeypatch):
    monkeypatch.setattr(checkpoints, "WRITING_FRACTION", np.inf)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "deeper" / "state.npz"


def kept(file, identity=None):
    """A checkpoint with some numbers."""
    Checkpoint(file, identity or {"of": "these"}).offer(lambda: {"a": np.arange(1000)})


@pytest.mark.parametrize("part", [0, 0.01, 0.5, 0.99])
def test_a_file_that_is_not_whole_is_refused_in_one_line(file, part):
    kept(file)
    content = file.read_bytes()
    file.write_bytes(content[: int(part * len(content))])
    with pytest.raises(
        ValueError, match=r"state\.npz: not a complete checkpoint .* start again"
    ) as error:
        Checkpoint(file, {"of": "these"}).load()
    assert str(error.value).endswith("remove it to start again")
    assert "\n" not in str(error.value)


def test_a_changed_byte_is_found(file):
    kept(file)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match="not a complete checkpoint"):
        Checkpoint(file, {"of": "these"}).load()


def test_another_computation_is_refused_with_what_differs(file):
    kept(file, {"rates": [0.1], "same": 1})
    with pytest.raises(ValueError, match="belongs to another computation") as error:
        Checkpoint(file, {"rates": [0.2], "same": 1}).load()
    assert "rates must be [0.2]; it is [0.1]" in str(error.value)
    assert "same" not in str(error.value)


def test_writing_takes_its_share_of_the_time_at_most(file, monkeypatch):
    monkeypatch.setattr(checkpoints, "WRITING_FRACTION", 0.5)
    now = iter([0.0, *(0.0, 3.0), 8.9, *(9.1, 9.2)])
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: next(now))
    written = []

    def state():
        written.append(len(written))
        return {}

    checkpoint = Checkpoint(file, {})
    checkpoint.offer(state)  # takes 3 s, so the next comes 6 s later at the soonest
    checkpoint.offer(state)
    assert written == [0]
    checkpoint.offer(state)
    assert written == [0, 1]


def test_finished_parts_are_not_computed_again(file):
    tables = {name: [pd.DataFrame({"a": [name], "b": [0.1]})] for name in ("x", "y")}
    parts = Parts(Checkpoint(file, {"of": "these"}))
    for name, of_part in tables.items():
        assert parts.tables(name, lambda made=of_part: made) is of_part
    again = Parts(Checkpoint(file, {"of": "these"}))
    for name, (table,) in tables.items():
        (kept,) = again.tables(name, lambda: pytest.fail("computed again"))
        pd.testing.assert_frame_equal(kept, table, check_exact=True)


def test_the_name_says_what_it_is():
    with pytest.raises(ValueError, match=r"must be a file \*\.npz"):
        Checkpoint("state.pt", {})
