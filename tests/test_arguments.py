"""Arguments of any wrong type: a ValueError of one line that names the argument."""

import numpy as np
import pytest
import torch
from torch import nn

import hrta
from hrta import Plateau, Problem, Schedule, Stage, TwoLayer
from hrta.runtime.arguments import as_flag, as_number
from hrta.runtime.arrays import as_float64

X = np.random.default_rng(0).normal(size=(6, 2))
Y = X[:, 0]
TRAIN = {
    "problem": Problem("mine", X, Y),
    "networks": TwoLayer.initialise([0, 1], 2, 4),
    "schedule": Schedule([Stage(1, 1), Stage(1.5, 1)]),
    "engine": "torch",
}
ANMIN = {"x": X, "y": Y, "inner": np.arange(12.0).reshape(3, 4), "rounds": 2, "ridge": 1e-3}
FUNCTIONS = {
    hrta.train: TRAIN,
    hrta.ntk.gram: {"x": X, "s": 1.0},
    hrta.ntk.empirical_gram: {"x": X, "inner": np.ones((3, 4)), "outer": np.ones(4), "s": 1.0},
    hrta.anmin.train: ANMIN,
    TwoLayer.initialise: {"seeds": [0], "inputs": 2, "width": 3},
    Problem: {"name": "mine", "x": X, "y": Y},
    Plateau: {},
}
# The arguments that are checked, and for which None is allowed.
NEEDED = {
    hrta.train: "problem networks schedule optimizer learning_rate momentum log_every decay "
    "reset_optimizer preserve_function fixed_outer engine observe_at",
    hrta.ntk.gram: "x s part",
    hrta.ntk.empirical_gram: "x inner outer s part",
    hrta.anmin.train: "x y inner rounds ridge leak",
    TwoLayer.initialise: "seeds inputs width",
    Problem: "x y",
    Plateau: "patience threshold",
}
OPTIONAL = {
    hrta.train: "batch_size plateau objective observe progress checkpoint",
    hrta.anmin.train: "test",
    Problem: "classes",
}
EACH = [
    *((function, name, False) for function, names in NEEDED.items() for name in names.split()),
    *((function, name, True) for function, names in OPTIONAL.items() for name in names.split()),
]
WRONG = [None, "a", [None], ["a", "b"], {"a": 1}, object(), 1j, np.nan, -1.5, [[1], [1, 2]]]


def refused(function, change):
    """The message of the error."""
    with pytest.raises(ValueError, match=": ") as error:
        function(**FUNCTIONS[function] | change)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(("function", "name", "optional"), EACH)
def test_a_wrong_type_is_one_line_that_names_the_argument(function, name, optional):
    for value in WRONG:
        if not (value is None and optional) and (name, value) != ("checkpoint", "a"):
            message = refused(function, {name: value})
            assert name.rstrip("s") in message


def test_points_and_targets_alone_are_refused_with_how_to_make_a_problem():
    for given in ((X, Y), [torch.tensor(X), torch.tensor(Y)]):
        message = refused(hrta.train, {"problem": given})
        assert (
            f"problem must be a Problem; it is a {type(given).__name__}; hrta.Problem(" in message
        )


def test_networks_that_are_no_networks_are_refused_with_what_they_can_be():
    for given in (nn.Linear(2, 1), [1], "ab"):
        message = refused(hrta.train, {"networks": given})
        assert "hrta.TwoLayer or a list of nn.Module" in message


def test_tensors_are_as_good_as_arrays():
    x, y = torch.tensor(X, requires_grad=True), torch.tensor(Y)
    np.testing.assert_array_equal(hrta.ntk.gram(x, 1.5), hrta.ntk.gram(X, 1.5))
    inner = torch.tensor(ANMIN["inner"], requires_grad=True)
    given = hrta.anmin.train(**ANMIN | {"x": x, "y": y, "inner": inner})
    np.testing.assert_array_equal(given.losses, hrta.anmin.train(**ANMIN).losses)
    rates = [
        hrta.train(**TRAIN, learning_rate=rate).history["loss"]
        for rate in (torch.tensor([0.1, 0.2]), [0.1, 0.2], (np.float32(0.1).item(), 0.2))
    ]
    np.testing.assert_array_equal(rates[0], rates[2])
    assert not np.array_equal(rates[1], hrta.train(**TRAIN, learning_rate=0.1).history["loss"])


def test_numbers_of_other_types_are_numbers():
    for value in (1.5, np.float32(1.5), np.array(1.5), torch.tensor(1.5)):
        assert as_number(value) == 1.5
    for value in ("1.5", b"1", [1.5], np.array([1.5]), torch.ones(2), 10**400, None, 1j):
        assert np.isnan(as_number(value))
    assert [as_flag(value, "flag") for value in (True, 0, np.True_)] == [True, False, True]


def test_complex_numbers_are_not_cut_to_their_real_part():
    for given in ([1j], np.array([1j]), torch.tensor([1j])):
        with pytest.raises(ValueError, match="x must be an array of real numbers"):
            as_float64(given, "x")
