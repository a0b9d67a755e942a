"""Converted models under all that torch does to models: compiled, functional, copied, rounded."""

import copy
import io
import pickle
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.optim.swa_utils import AveragedModel

from hrta import HomotopyActivation, HomotopyScheduler, Stage, convert, homotopy
from hrta.activations import BASES
from hrta.drop_in import CLASSES

STAGES = [Stage(s, 1) for s in (0.5, 1.0, 1.5, 2.0)]
X = torch.linspace(-1, 1, 10).reshape(5, 2)


def model(s=1.0, seed=0, activation=nn.ReLU):
    torch.manual_seed(seed)
    layers = [nn.Linear(2, 8), activation(), nn.Linear(8, 8), activation(), nn.Linear(8, 1)]
    return convert(nn.Sequential(*layers), activation, s)


def parameters_of(network):
    return [float(m.s) for m in network.modules() if isinstance(m, HomotopyActivation)]


def gradients(network, x=X):
    network.zero_grad()
    network(x).sum().backward()
    return [weight.grad.clone() for weight in network.parameters()]


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_compiled_model_follows_the_stages_without_being_compiled_again(backend):
    from torch._dynamo.testing import CompileCounterWithBackend

    torch.compiler.reset()
    network, counter = model(), CompileCounterWithBackend(backend)
    compiled = torch.compile(network, backend=counter)
    scheduler = HomotopyScheduler(compiled, STAGES)
    outputs, counts = [], []
    for stage in STAGES:
        assert parameters_of(network) == [stage.s] * 2
        outputs.append(compiled(X).detach())
        torch.testing.assert_close(outputs[-1], network(X))
        torch.testing.assert_close(gradients(compiled), gradients(network))
        counts.append(counter.frame_count)
        scheduler.step()
    assert all(not torch.equal(*pair) for pair in pairwise(outputs))
    assert counts == counts[:1] * 4
    assert counts[0] > 0


def test_homotopy_is_compiled_whole():
    torch.compiler.reset()
    compiled = torch.compile(homotopy, backend="eager", fullgraph=True)
    s = torch.tensor([[0.5], [1.5]])
    torch.testing.assert_close(compiled(X.T, s), homotopy(X.T, s))


def test_an_exported_program_keeps_s_as_a_buffer():
    network = model(1.5)
    program = torch.export.export(network, (X,))
    assert program.state_dict["1.s"] == 1.5
    torch.testing.assert_close(program.module()(X), network(X))


def test_a_functional_call_takes_s_from_the_buffers():
    network, other = model(1.0), model(0.5)
    parameters = dict(network.named_parameters())
    output = functional_call(network, (parameters, dict(other.named_buffers())), (X,))
    assert torch.equal(output, other(X))
    assert parameters_of(network) == [1.0, 1.0]


def test_gradients_of_functions_are_those_of_the_module():
    network = model(1.5)
    parameters, buffers = dict(network.named_parameters()), dict(network.named_buffers())

    def total(parameters, buffers):
        return functional_call(network, (parameters, buffers), (X,)).sum()

    by_function = grad(total)(parameters, buffers)
    torch.testing.assert_close(list(by_function.values()), gradients(network))
    # And in s: sigma_s(z) = (1 - s) z + s sigma(z) has the derivative sigma(z) - z.
    by_s = grad(total, argnums=1)(parameters, buffers)["3.s"]
    hidden = network[:3](X)
    expected = ((hidden.relu() - hidden) @ network[4].weight.T).sum()
    torch.testing.assert_close(by_s.float(), expected)


def test_every_member_of_an_ensemble_has_its_own_s():
    members = [model(s, seed) for seed, s in enumerate((0.0, 0.5, 1.0, 1.5))]
    parameters, buffers = stack_module_state(members)
    assert buffers["1.s"].tolist() == [0.0, 0.5, 1.0, 1.5]
    skeleton = copy.deepcopy(members[0]).to("meta")

    def total(parameters, buffers):
        output = functional_call(skeleton, (parameters, buffers), (X,))
        return output.sum(), output

    slopes, outputs = vmap(grad(total, has_aux=True))(parameters, buffers)
    assert outputs.dtype == torch.float32
    torch.testing.assert_close(outputs, torch.stack([member(X) for member in members]))
    for number, member in enumerate(members):
        torch.testing.assert_close([w[number] for w in slopes.values()], gradients(member))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_copied_pair_of_model_and_scheduler_goes_its_own_way(duplicate):
    network = model()
    scheduler = HomotopyScheduler(network, STAGES)
    scheduler.step()
    other_network, other_scheduler = duplicate((network, scheduler))
    assert other_scheduler.state_dict() == scheduler.state_dict()
    assert torch.equal(other_network(X), network(X))
    other_scheduler.step()
    assert (parameters_of(network), parameters_of(other_network)) == ([1.0] * 2, [1.5] * 2)


def test_s_comes_with_the_weights():
    network, file = model(1.3), io.BytesIO()
    torch.save(network.state_dict(), file)
    file.seek(0)
    other = model(0.5, seed=1)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert parameters_of(other) == [1.3, 1.3]
    assert torch.equal(other(X), network(X))
    with pytest.raises(ValueError, match=r"s must be a number in \[0, 2\]; it is 5"):
        other.load_state_dict({**network.state_dict(), "3.s": torch.tensor(5.0)})


def test_replicas_of_data_parallel_have_s_on_their_own_device():
    activation = HomotopyActivation(1.5)
    replica = activation._replicate_for_data_parallel()
    assert torch.equal(replica(X), activation(X))
    replica.s = activation.s.to("meta")  # as torch.nn.parallel.replicate does
    assert replica.s.device.type == "meta"
    assert (activation.s.device.type, float(activation.s)) == ("cpu", 1.5)


def test_an_averaged_model_has_the_latest_s():
    network = model()
    scheduler, averaged = HomotopyScheduler(network, STAGES), AveragedModel(network)
    for stage in STAGES:
        averaged.update_parameters(network)
        assert parameters_of(averaged) == [stage.s] * 2
        scheduler.step()


@pytest.mark.parametrize("dtype", [torch.half, torch.bfloat16, torch.float, torch.double])
def test_a_model_of_any_dtype_keeps_its_dtype_and_s_exact(dtype):
    network = model(1.3).to(dtype)
    assert parameters_of(network) == [1.3, 1.3]
    assert network(X.to(dtype)).dtype == dtype
    assert all(slope.dtype == dtype for slope in gradients(network, X.to(dtype)))
    HomotopyScheduler(network, [Stage(1.01, 1)])
    assert parameters_of(network.float()) == [1.01, 1.01]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("dtype", [torch.half, torch.bfloat16, torch.float, torch.double])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_the_output_has_the_dtype_of_the_base(base, dtype, shape):
    z = torch.ones(shape, dtype=dtype)
    assert HomotopyActivation(0.7, base)(z).dtype == dtype
    assert homotopy(z, torch.tensor([0.7], dtype=torch.float64), base).dtype == dtype


def test_derivatives_at_single_points_keep_their_dtype():
    z = torch.tensor([-1.0, 2.0])
    activation = HomotopyActivation(1.5)
    assert vmap(activation)(z).dtype == torch.float32
    assert torch.equal(vmap(grad(activation))(z), torch.tensor([-0.5, 1.0]))


@pytest.mark.parametrize("activation", CLASSES)
def test_autocast_gives_the_dtypes_that_it_gives_without_homotopy(activation):
    network = model(1.5, activation=activation)
    plain = nn.Sequential(network[0], activation(), *network[2:])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert network[:2](X).dtype == plain[:2](X).dtype
        assert network(X).dtype == plain(X).dtype == torch.bfloat16
        slopes = gradients(network)
    assert all(slope.dtype == torch.float32 for slope in slopes)
    for slope, exact in zip(slopes, gradients(network), strict=True):
        torch.testing.assert_close(slope, exact, rtol=0.1, atol=0.1)


def test_a_device_without_float64_gets_s_in_float32():
    def move(tensor):
        if tensor.dtype == torch.float64:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        return tensor.clone()

    network = model(1.5)._apply(move)
    assert network[1].s.dtype == torch.float32
    assert parameters_of(network) == [1.5, 1.5]


def test_a_model_without_memory_has_an_s_with_a_number():
    layers = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).to("meta").eval()
    activation = convert(layers, s=0.5)[1]
    assert (activation.s.device.type, float(activation.s)) == ("cpu", 0.5)
    assert layers(torch.ones(1, 2, device="meta")).shape == (1, 2)
    assert not activation.training
    assert repr(activation.to("meta")) == "HomotopyActivation(s=?, base='relu')"
