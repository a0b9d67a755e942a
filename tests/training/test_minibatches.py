import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrta.training.minibatches import Minibatches


@given(
    points=st.integers(1, 30),
    part=st.floats(0.01, 1),
    first=st.integers(0, 40),
    length=st.integers(1, 40),
)
def test_an_epoch_sees_points_at_most_once_and_pieces_are_the_whole(points, part, first, length):
    size = max(1, int(part * points))
    batches = Minibatches(np.array([5, 6]), points, size)
    whole = batches.of_run(0, 0, first + length)
    assert np.array_equal(batches.of_run(0, first, first + length), whole[first:])
    each = batches.updates_per_epoch
    assert each * size <= points < (each + 1) * size
    for epoch in range(len(whole) // each):
        seen = whole[epoch * each : (epoch + 1) * each].ravel()
        assert len(set(seen)) == each * size
        assert set(seen) <= set(range(points))


def test_a_runs_batches_depend_on_its_seed_alone():
    batches = Minibatches(np.array([7, 8, 7]), 20, 5)
    assert np.array_equal(batches.of_run(0, 0, 9), batches.of_run(2, 0, 9))
    assert not np.array_equal(batches.of_run(0, 0, 9), batches.of_run(1, 0, 9))


@pytest.mark.parametrize("size", [0, 21, 2.5])
def test_a_batch_has_some_of_the_points(size):
    with pytest.raises(
        ValueError, match=rf"batch_size must be an integer in \[1, 20\].* it is {size}"
    ):
        Minibatches(np.array([0]), 20, size)


def test_a_whole_float_is_a_size():
    assert Minibatches(np.array([0]), 20, 5.0).of_run(0, 0, 2).shape == (2, 5)
