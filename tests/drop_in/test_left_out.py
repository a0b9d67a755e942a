"""What `convert` sees and leaves is named in one warning."""

import copy
import random
import sys
import threading
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import hrta


class Block(nn.Module):
    """Calls functions, some only under a condition that torch.fx cannot follow."""

    def __init__(self, function, traceable=True):
        super().__init__()
        self.linear, self.relu = nn.Linear(3, 3), nn.ReLU()
        self.function, self.traceable = function, traceable
        self.seen = []
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, z):
        self.seen.append(z)
        self.calls += 1
        print("called with", torch.rand(1))
        if not self.traceable and z.sum() > 0:
            z = -z
        return self.function(self.relu(self.linear(z)))


def message_of(model, base=nn.ReLU):
    with pytest.warns(UserWarning, match="^convert: ") as caught:
        hrta.convert(model, base)
    (warning,) = caught
    assert warning.filename == __file__
    assert "\n" not in str(warning.message)
    return str(warning.message)


def test_other_activations_are_named():
    class MyReLU(nn.ReLU):
        pass

    hidden = [nn.ReLU(), nn.ReLU6(), nn.Sequential(nn.LeakyReLU()), nn.GELU("tanh"), MyReLU()]
    message = message_of(nn.Sequential(*hidden, nn.Sigmoid(), nn.Softmax(1)))
    assert message == (
        "convert: left as they are: 1 (ReLU6), 2.0 (LeakyReLU), 3 (GELU), 4 (MyReLU)"
    )
    many = nn.Sequential(nn.ReLU(), *(nn.Tanh() for _ in range(7)))
    assert message_of(many).endswith("4 (Tanh), 5 (Tanh) and 2 more")


def test_nothing_left_is_no_warning():
    with warnings.catch_warnings(action="error"):
        hrta.convert(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Sigmoid()))
        hrta.convert(nn.Sequential(Block(lambda z: z)))


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (functional.relu, "functional.relu"),
        (torch.relu, "torch.relu"),
        (torch.relu_, "torch.relu_"),
        (lambda z: z.relu(), "Tensor.relu"),
        (lambda z: z.relu_(), "Tensor.relu_"),
        (functional.gelu, "functional.gelu"),
        (torch.tanh, "torch.tanh"),
        (functional.leaky_relu, "functional.leaky_relu"),
    ],
)
def test_functions_that_forward_calls_are_named(function, name):
    message = message_of(nn.Sequential(nn.Linear(3, 3), Block(function)))
    assert message == f"convert: functions are not replaced: 1 calls {name}"


def test_looking_changes_nothing():
    block = Block(functional.relu)
    before, state = copy.deepcopy(block.state_dict()), torch.random.get_rng_state()
    message_of(block)
    assert block.seen == []
    assert torch.equal(torch.random.get_rng_state(), state)
    after = block.state_dict()
    assert after.pop("relu.s") == 1
    assert all(torch.equal(after[key], before[key]) for key in before | after)


def test_a_look_is_silent(capsys):
    message_of(Block(functional.relu))
    assert capsys.readouterr() == ("", "")


def test_what_cannot_be_traced_is_converted_without_a_look():
    network = nn.Sequential(Block(functional.relu, traceable=False), Block(torch.tanh))
    assert message_of(network) == "convert: functions are not replaced: 1 calls torch.tanh"
    assert list(hrta.converted(network)) == ["0.relu", "1.relu"]


def test_what_is_called_before_fx_gives_up_is_named():
    class Partly(Block):
        def forward(self, z):
            z = torch.relu(self.relu(z))
            return z if z.max() > 1 else -z

    message = message_of(Partly(torch.relu))
    assert message == "convert: functions are not replaced: the model calls torch.relu"


def test_a_forward_that_exits_or_draws_numbers_is_no_harm():
    class Rude(Block):
        def forward(self, z):
            random.random(), np.random.rand()  # noqa: NPY002
            sys.exit(1)

    np.random.seed(0)  # noqa: NPY002
    state, expected = random.getstate(), np.random.RandomState(0).rand()
    hrta.convert(Rude(torch.relu))
    assert random.getstate() == state
    assert np.random.rand() == expected  # noqa: NPY002


def test_what_cannot_be_copied_is_no_hindrance():
    block = Block(functional.relu)
    block.lock = threading.Lock()
    block.cached = block.linear.weight * 2  # has a history
    block.parent = [block]
    block.register_buffer("table", torch.zeros(()).expand(2**40))  # would be 4 TiB
    assert "calls functional.relu" in message_of(block)


def test_activations_that_are_not_registered_are_named():
    block = Block(lambda z: z)
    block.others = [nn.ReLU()]
    block.by_name = {"a": block.relu}
    message = message_of(nn.Sequential(block))
    assert message == (
        "convert: left as they are: 0.others (held in no module), 0.by_name (held in no module)"
    )


def test_a_layer_with_a_function_without_a_name():
    function = partial(functional.gelu, approximate="tanh")
    layer = nn.TransformerEncoderLayer(4, 1, 8, activation=function)
    assert "0.activation (functools.partial" in message_of(nn.Sequential(layer, nn.ReLU()))


def test_hooks_are_kept_and_can_be_removed():
    seen, network = [], nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    handle = network[1].register_forward_hook(lambda *_: seen.append("forward"))
    network[1].register_full_backward_hook(lambda *_: seen.append("backward"))
    hrta.convert(network)
    network(torch.ones(1, 1)).sum().backward()
    hrta.restore(network)
    network(torch.ones(1, 1))
    assert seen == ["forward", "backward", "forward"]
    handle.remove()
    network(torch.ones(1, 1))
    assert len(seen) == 3


def test_parametrizations_stay():
    network = nn.Sequential(nn.Linear(2, 2), nn.Softplus())
    nn.utils.parametrize.register_parametrization(network[0], "weight", nn.Softplus())
    hrta.convert(network, nn.Softplus)
    assert list(hrta.converted(network)) == ["1"]


def test_a_module_that_quantization_has_fused_is_refused():
    fused = torch.ao.nn.intrinsic.LinearReLU(nn.Linear(2, 2), nn.ReLU())
    with pytest.raises(ValueError, match="LinearReLU 1 cannot be converted: torch quantizes"):
        hrta.convert(nn.Sequential(nn.ReLU(), fused))


def test_a_model_that_has_functions_only_is_told_what_to_do():
    class Functional(nn.Module):
        def forward(self, z):
            return torch.relu(z)

    with pytest.raises(ValueError, match=r"the model calls .*relu: put in an hrta.HomotopyAct"):
        hrta.convert(Functional())


def test_an_activation_in_place_stays_so_where_it_can():
    network = nn.Sequential(nn.ReLU(inplace=True), nn.ReLU())
    hrta.convert(network, s=0.5)
    z = torch.tensor([-1.0, 2.0])
    assert network[0](z) is z
    assert network[1](z) is not z
    assert hrta.restore(network)[0].inplace
    message = message_of(nn.Sequential(nn.SiLU(inplace=True)), nn.SiLU)
    assert message == "convert: nn.SiLU(inplace=True) is no longer in place"
    # In place, torch has no gradient of a leaky ReLU of a negative slope.
    with pytest.warns(UserWarning, match="of a negative slope is not in place"):
        restored = hrta.restore(hrta.convert(nn.Sequential(nn.ReLU(inplace=True)), s=1.5))
    assert not restored[0].inplace
