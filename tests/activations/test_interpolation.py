"""The fast kernels for a single s against the formula and automatic differentiation, float64."""

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.func import grad, hessian, jacfwd, vmap

from hrta import HomotopyActivation, homotopy
from hrta.activations import BASES, interpolation
from hrta.activations.interpolation import Interpolation

Z = torch.tensor([-30.0, -2.0, -0.7, -1e-3, 1e-3, 0.4, 1.0, 2.5, 30.0], dtype=torch.float64)
# Torch's own forward mode compiles with what torch calls deprecated.
forward_mode = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:FutureWarning")
S = [0.0, 0.3, 1.0, 1.5, 2.0]


def formula(z, s, base):
    return (1 - s) * z + s * BASES[base](z)


def derivatives(function, z):
    """sigma_s, sigma_s' and sigma_s'' at z."""
    z = z.clone().requires_grad_()
    value = function(z)
    (first,) = torch.autograd.grad(value.sum(), z, create_graph=True)
    again = first.requires_grad  # of a constant there is no graph
    (second,) = torch.autograd.grad(first.sum(), z) if again else (torch.zeros_like(z),)
    return value.detach(), first.detach(), second


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("s", S)
@pytest.mark.parametrize("kind", [float, lambda s: torch.tensor(s, dtype=torch.float64)])
def test_value_and_derivatives_are_those_of_the_formula(base, s, kind):
    found = derivatives(lambda z: homotopy(z, kind(s), base), Z)
    expected = derivatives(lambda z: formula(z, s, base), Z)
    # A few roundings of the largest z.
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=1e-14)


@forward_mode
@pytest.mark.parametrize("base", BASES)
def test_gradients_are_those_of_finite_differences(base):
    z = Z[1:-1].clone().requires_grad_()
    assert gradcheck(lambda z: homotopy(z, 1.5, base), z, check_forward_ad=True)
    assert gradgradcheck(lambda z: homotopy(z, 1.5, base), z)
    s = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda z, s: homotopy(z, s, base), (z, s), check_forward_ad=True)


@pytest.mark.parametrize("base", BASES)
def test_a_gradient_without_a_graph_is_the_same_and_leaves_the_incoming_one(base):
    z, incoming = Z.clone().requires_grad_(), torch.linspace(-1, 1, len(Z), dtype=Z.dtype)
    before = incoming.clone()
    homotopy(z, 0.6, base).backward(incoming)
    slope = derivatives(lambda z: formula(z, 0.6, base), Z)[1]
    torch.testing.assert_close(z.grad, incoming * slope, rtol=1e-14, atol=1e-14)
    assert torch.equal(incoming, before)


@forward_mode
@pytest.mark.parametrize("base", BASES)
def test_functions_of_functions(base):
    def by_number(z):
        return homotopy(z, 1.5, base)

    def by_formula(z):
        return formula(z, 1.5, base)

    for transform in (vmap, lambda f: vmap(grad(f)), lambda f: vmap(jacfwd(f))):
        torch.testing.assert_close(transform(by_number)(Z), transform(by_formula)(Z))
    torch.testing.assert_close(
        hessian(lambda z: by_number(z).square().sum())(Z),
        hessian(lambda z: by_formula(z).square().sum())(Z),
    )


@forward_mode
@pytest.mark.parametrize("base", BASES)
def test_a_derivative_in_s_is_never_lost(base):
    s, expected = torch.tensor(1.3, dtype=torch.float64), BASES[base](Z) - Z

    def of_s(s):
        return homotopy(Z, s, base)

    torch.testing.assert_close(jacfwd(of_s)(s), expected)
    torch.testing.assert_close(grad(lambda s: of_s(s).sum())(s), expected.sum())
    torch.testing.assert_close(vmap(grad(lambda s: of_s(s).sum()))(s.repeat(2))[0], expected.sum())
    torch.testing.assert_close(jacfwd(jacfwd(of_s))(s), torch.zeros_like(Z))
    with forward_ad.dual_level():
        dual = of_s(forward_ad.make_dual(s, torch.ones_like(s)))
        torch.testing.assert_close(forward_ad.unpack_dual(dual).tangent, expected)


@pytest.mark.parametrize("s", S)
def test_kernels_for_an_s_on_another_device(s):
    """They take s as a tensor; here on the CPU, where numbers are faster."""
    s = torch.tensor(s, dtype=torch.float64)
    found = derivatives(lambda z: interpolation._prelu(z, s), Z)
    torch.testing.assert_close(found, derivatives(lambda z: formula(z, s, "relu"), Z))
    for base in BASES.keys() - {"relu"}:
        found = derivatives(lambda z, base=base: Interpolation.apply(z, s, base), Z)
        torch.testing.assert_close(found, derivatives(lambda z, base=base: formula(z, s, base), Z))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert interpolation._prelu(Z.float(), s).dtype == torch.float32


def test_infinite_pre_activations_are_those_of_relu_at_s_1():
    z = torch.tensor([-torch.inf, torch.inf])
    assert homotopy(z, 1).tolist() == [0, torch.inf]
    assert HomotopyActivation(1.0)(z).tolist() == [0, torch.inf]


def test_a_module_follows_its_buffer_however_it_is_changed():
    activation = HomotopyActivation(0.5)
    assert torch.equal(activation(Z), homotopy(Z, 0.5))
    (buffer,) = activation.buffers()
    buffer.data.fill_(1.5)  # as code for averaged weights does
    assert torch.equal(activation(Z), homotopy(Z, 1.5))


@pytest.mark.parametrize("s", S)
@pytest.mark.parametrize("compiled", [False, True])
def test_in_place_the_input_is_the_output_whatever_s_is(s, compiled):
    activation = HomotopyActivation(s, inplace=True)
    assert repr(activation) == f"HomotopyActivation(s={s:g}, base='relu', inplace=True)"

    def both(z):
        z = z * 1
        return activation(z) + z  # the second one is the first one

    if compiled:
        torch.compiler.reset()
        both = torch.compile(both, backend="aot_eager", fullgraph=True)
    expected = derivatives_once(lambda z: 2 * formula(z, s, "relu"))
    torch.testing.assert_close(derivatives_once(both), expected)
    with torch.no_grad():
        torch.testing.assert_close(both(Z), expected[0])


def test_integers_and_nested_tensors():
    activation = HomotopyActivation(1.5)
    assert activation(torch.tensor([-2, 4])).tolist() == [1.0, 4.0]
    nested = torch.nested.nested_tensor([Z[:3], Z[3:]], layout=torch.jagged, requires_grad=True)
    activation(nested).values().sum().backward()
    slopes = derivatives(lambda z: formula(z, 1.5, "relu"), Z)[1]
    torch.testing.assert_close(nested.grad.values(), slopes)


@pytest.mark.parametrize("z", [torch.ones(2, dtype=torch.complex64), "abc", [1, [2]], None])
def test_pre_activations_that_are_no_numbers_are_one_line(z):
    with pytest.raises(ValueError, match=r"^homotopy: z must be "):
        homotopy(z, 1.5)


@pytest.mark.parametrize("s", [1j, [1, [2]], "one"])
def test_s_that_is_no_number_is_one_line(s):
    with pytest.raises(ValueError, match=r"^homotopy: s must be "):
        homotopy(Z, s)


def test_in_place_is_for_relu():
    with pytest.raises(ValueError, match="inplace is possible for base 'relu'; it is 'tanh'"):
        HomotopyActivation(1.0, "tanh", inplace=True)


def test_torch_fx_traces_a_module_and_keeps_s_as_a_buffer():
    network = nn.Sequential(nn.Linear(1, 3), HomotopyActivation(0.5)).double()
    traced = torch.fx.symbolic_trace(network)
    assert dict(traced.named_buffers()).keys() == dict(network.named_buffers()).keys()
    for s in (0.5, 1.5):
        network[1].s = s
        traced.load_state_dict(network.state_dict())
        torch.testing.assert_close(traced(Z[:, None]), network(Z[:, None]))


@pytest.mark.parametrize("base", ["relu", "gelu"])
def test_compiled_whole_for_a_number_and_a_tensor(base):
    torch.compiler.reset()
    compiled = torch.compile(homotopy, backend="aot_eager", fullgraph=True)
    for s in (1.5, 0.4, 0.6, 1.0, torch.tensor(1.5)):
        found = derivatives_once(lambda z, s=s: compiled(z, s, base))
        expected = derivatives_once(lambda z, s=s: formula(z, s, base))
        torch.testing.assert_close(found, expected)


def derivatives_once(function):
    z = Z.clone().requires_grad_()
    value = function(z)
    value.sum().backward()
    return value.detach(), z.grad
