"""Arguments of any wrong type: a ValueError of one line that names the argument."""

import numpy as np
import pytest
import torch
from torch import nn
from wrong_calls import ANMIN, TRAIN, X, Y, refused

import hrta
from hrta import HomotopyActivation, Plateau, Problem, Schedule, Stage, TwoLayer
from hrta.networks import AdaptiveNetworks, Perceptron
from hrta.ntk.eigenvalues import spectrum
from hrta.ntk.extremes import extremal_eigenvalues
from hrta.ntk.linearised import draw_parts, predict_losses
from hrta.ntk.momentum import predict_losses_with_momentum
from hrta.problems import datasets, poisson, targets
from hrta.runtime.arguments import as_flag, as_integer, as_number
from hrta.training import AdaptiveSlopes, DeepRitz, lbfgs

NEEDED = {
    hrta.train: "problem networks schedule optimizer learning_rate momentum log_every decay "
    "reset_optimizer preserve_function fixed_outer engine observe_at",
    hrta.ntk.gram: "x s part",
    hrta.ntk.empirical_gram: "x inner outer s part",
    hrta.anmin.train: "x y inner rounds ridge leak",
    TwoLayer.initialise: "seeds inputs width dtype signs",
    Problem: "x y",
    Plateau: "patience threshold",
    Stage: "s steps",
    Schedule.equal_parts: "s steps",
    HomotopyActivation: "s base inplace",
    hrta.homotopy: "s base",
    TwoLayer: "inner outer",
    Perceptron: "inputs width hidden outputs base seed dtype",
    AdaptiveNetworks.initialise: "seeds inputs hidden activation adaptive scale dtype",
    lbfgs.train: "problem networks evaluations learning_rate history_size s",
    spectrum: "matrix",
    extremal_eigenvalues: "x",
    draw_parts: "x runs seed",
    predict_losses: "problem schedule learning_rates parts steps",
    predict_losses_with_momentum: "kernel residuals optimizer learning_rate momentum steps",
    poisson.PoissonProblem: "modes",
    poisson.grid: "points dimension",
    poisson.gauss_legendre: "points dimension",
    targets.make_problem: "name test_points seed",
    datasets.load: "name seed",
    DeepRitz: "points quadrature",
    AdaptiveSlopes: "recovery",
}
OPTIONAL = {
    hrta.train: "batch_size plateau objective observe progress checkpoint",
    hrta.anmin.train: "test",
    Problem: "classes",
    TwoLayer.initialise: "device",
    AdaptiveNetworks.initialise: "device",
    lbfgs.train: "progress",
    targets.make_problem: "points",
}
EACH = [
    *((function, name, False) for function, names in NEEDED.items() for name in names.split()),
    *((function, name, True) for function, names in OPTIONAL.items() for name in names.split()),
]
WRONG = [None, "a", [None], ["a", "b"], {"a": 1}, object(), 1j, np.nan, -1.5, [[1], [1, 2]]]


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
    for value in ("1.5", b"1", [1.5], np.array([1.5]), torch.ones(2), 10**400, None, 1j, True):
        assert np.isnan(as_number(value))
    for value in (np.ma.masked, np.timedelta64(1), np.True_, torch.ones((), device="meta")):
        assert np.isnan(as_number(value))
    for value in (3, 3.0, np.int8(3), np.array(3), torch.tensor(3.0, requires_grad=True)):
        assert as_integer(value, "count") == 3
    assert as_integer(2**63 - 1, "count") == 2**63 - 1
    assert [as_flag(value, "flag") for value in (True, 0, np.True_)] == [True, False, True]
