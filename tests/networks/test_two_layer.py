import numpy as np
import pytest
import torch

from hrta import TwoLayer


def test_prediction_is_the_sum_over_neurons(small_problem, small_networks):
    s = torch.tensor([0.0, 0.5, 1.0, 1.5, 2.0], dtype=torch.float64)
    predicted = small_networks.predict(small_problem.x, s)
    for run in range(5):
        inner, outer = small_networks.inner[run].numpy(), small_networks.outer[run].numpy()
        for i, x in enumerate(small_problem.x):
            total = 0.0
            for k in range(11):
                z = inner[:2, k] @ x + inner[2, k]
                total += outer[k] * ((1 - s[run].item()) * z + s[run].item() * max(z, 0))
            assert predicted[run, i].item() == pytest.approx(total / np.sqrt(11), abs=1e-13)


def test_a_network_depends_on_its_seed_alone():
    many = TwoLayer.initialise([3, 1, 4, 1], inputs=2, width=8)
    alone = TwoLayer.initialise([4], inputs=2, width=8)
    assert torch.equal(many.inner[2], alone.inner[0])
    assert torch.equal(many.outer[1], many.outer[3])
    assert not torch.equal(many.outer[0], many.outer[1])


def test_precisions_start_from_the_same_function():
    single = TwoLayer.initialise([0], inputs=1, width=30)
    double = TwoLayer.initialise([0], inputs=1, width=30, dtype=torch.float64)
    assert torch.equal(single.inner, double.inner.float())
    assert torch.equal(single.outer, double.outer.float())


def test_weights_are_standard_normal():
    networks = TwoLayer.initialise(range(20), inputs=1, width=1000, dtype=torch.float64)
    weights = torch.cat([networks.inner.flatten(), networks.outer.flatten()])
    # 60 000 draws: the mean has standard error 0.004, the variance 0.006; five of each.
    assert abs(weights.mean().item()) < 0.02
    assert abs(weights.var().item() - 1) < 0.03


@pytest.mark.parametrize(
    ("inner", "outer"),
    [((2, 3, 4), (2, 5)), ((2, 3, 4), (3, 4)), ((3, 4), (4,)), ((0, 2, 3), (0, 3))],
)
def test_shapes_that_do_not_fit_are_refused(inner, outer):
    with pytest.raises(ValueError, match=r"inner must be \[R, d \+ 1, m\]"):
        TwoLayer(torch.zeros(inner), torch.zeros(outer))


@pytest.mark.parametrize(("seeds", "inputs", "width"), [([], 1, 1), ([0], 0, 1), ([0], 1, 0)])
def test_nothing_to_initialise_is_refused(seeds, inputs, width):
    with pytest.raises(ValueError, match=r"must be (several|a positive) integer"):
        TwoLayer.initialise(seeds, inputs, width)


def test_s_may_be_any_sequence(small_problem, small_networks):
    s = [0.0, 0.5, 1.0, 1.5, 2.0]
    expected = small_networks.predict(small_problem.x, torch.tensor(s))
    assert torch.equal(small_networks.predict(small_problem.x, s), expected)
    assert torch.equal(small_networks.predict(small_problem.x, np.array(s)), expected)
    # One number has a kernel of its own, which rounds at other places.
    of_one = small_networks.predict(torch.tensor(small_problem.x), 1.5)[3]
    torch.testing.assert_close(of_one, expected[3], rtol=1e-13, atol=1e-13)


def test_points_or_s_that_do_not_fit_are_refused(small_problem, small_networks):
    for x, s in ((small_problem.x[:, 0], 1), (small_problem.x[:, :1], 1), (small_problem.x, [1])):
        with pytest.raises(
            ValueError, match=r"x must be \[n, 2\] and s a number in \[0, 2\] or 5 of them"
        ):
            small_networks.predict(x, s)


def test_weights_may_be_arrays_but_of_one_floating_type():
    networks = TwoLayer(np.ones((2, 2, 3)), np.ones((2, 3)))
    assert networks.inner.dtype == torch.float64
    with pytest.raises(ValueError, match="one floating dtype"):
        TwoLayer(torch.ones(2, 2, 3), torch.ones(2, 3, dtype=torch.float64))
    with pytest.raises(ValueError, match="one floating dtype"):
        TwoLayer(torch.ones(2, 2, 3, dtype=int), torch.ones(2, 3, dtype=int))
