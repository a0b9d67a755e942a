"""The Triton engine against torch: in Triton's interpreter, and on a GPU if there is one."""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from types import ModuleType

import numpy as np
import pytest
import torch
from training_tasks import task_of

from benchmarks.gpu_kernel import compile_only, inner_loops, resources_of
from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem
from hrta.runtime import checkpoints
from hrta.schedules import Schedule
from hrta.training.engines.engine import Engine
from hrta.training.objectives.two_layer import TwoLayerRegression
from hrta.training.objectives.two_layer_loss import make_torch_engine
from hrta.training.task import Task
from hrta.training.trainer import train

if find_spec("triton") is None:
    pytest.skip("no Triton for this system", allow_module_level=True)

# Sums in another order, amplified by the few steps and by Adam's division; on a GPU products and
# sums are fused as well.
RTOL = 1e-10 if torch.cuda.is_available() else 1e-12
OPTIMIZERS = ["gradient_descent", "heavy_ball", "nesterov", "adam"]
on_gpu = pytest.param("gpu", marks=pytest.mark.gpu)


def of_triton(name: str) -> bool:
    """Whether the module holds Triton's functions or ours; libtriton can be loaded only once."""
    ours = name in ("hrta.training.engines.triton_engine", "hrta.training.kernels.triton_loop")
    return ours or (name.split(".")[0] == "triton" and not name.startswith("triton._C"))


@contextmanager
def triton_anew(interpret: bool) -> Iterator[ModuleType]:
    """The engine with kernels interpreted or compiled, which Triton settles at import."""
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if of_triton(name)}
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TRITON_INTERPRET", str(int(interpret)))
            yield importlib.import_module("hrta.training.engines.triton_engine")
    finally:
        for name in list(sys.modules):
            if of_triton(name):
                module = sys.modules.pop(name)
                # Emptied as at Python's end, when libtriton minds whatever still refers to it;
                # except for the functions by which libtriton goes on to name types.
                if name != "triton._utils":
                    vars(module).clear()
        sys.modules.update(before)


@pytest.fixture(scope="module", params=["interpreter", on_gpu])
def where(request) -> Iterator[str]:
    """interpreter, gpu or compiler; one at a time."""
    with triton_anew(interpret=request.param == "interpreter"):
        yield request.param


@pytest.fixture
def cuda(where) -> ModuleType:
    return sys.modules["hrta.training.engines.triton_engine"]


@pytest.fixture
def device(where) -> str:
    return "cuda" if where == "gpu" else "cpu"


@pytest.fixture
def engine(cuda, where):
    """Makes engines; in the interpreter their tiles are small, so that there are many of them."""

    def make(task, neurons=8, block=16):
        inputs = 1 << task.networks.inputs.bit_length()
        tiles = cuda.Tiles(points=32, neurons=neurons, inputs=inputs, block=block, warps=1)
        return cuda.TritonEngine(task, tiles if where == "interpreter" else None)

    return make


def example(
    runs,
    points,
    inputs,
    width,
    device,
    optimizer="adam",
    dtype=torch.float64,
    test=3,
    fixed_outer=False,
):
    """A task with another learning rate for each run."""
    networks = TwoLayer.initialise(range(runs), inputs, width, dtype, device)
    random = np.random.default_rng(points + inputs + width)

    def some(number):
        return random.normal(size=(number, inputs)), random.normal(size=number)

    return task_of(
        Problem("random", *some(points), *(some(test) if test else ())),
        networks,
        optimizer=optimizer,
        momentum=0.8,
        learning_rate=np.array([0.02, 0.1, 0.05])[:runs],
        fixed_outer=fixed_outer,
    )


def advance(engine, s, steps=3, logged=None, decay=0.9):
    """Losses, test losses [R, logged] and then those after the last step."""
    s, logged = np.array(s), np.ones(steps, bool) if logged is None else np.array(logged)
    with np.errstate(all="ignore"):  # the interpreter's numpy minds infinity and the mean of none
        during = engine.advance(s, decay ** np.arange(steps), logged)
        after = engine.measure(s)
    return np.concatenate([during, after[:, :, None]], axis=2)


def assert_same(engine, expected, rtol=RTOL):
    for name in ("inner", "outer"):
        ours, theirs = getattr(engine.networks(), name), getattr(expected.networks(), name)
        torch.testing.assert_close(ours, theirs, rtol=rtol, atol=rtol)
    assert engine.diverged.tolist() == expected.diverged.tolist()


def test_outer_weights_stay_where_they_are_fixed(engine, device):
    task = example(2, 9, 2, 12, device, fixed_outer=True)
    engines = engine(task), make_torch_engine(task)
    losses, expected = (advance(each, [0.5, 1.3]) for each in engines)
    np.testing.assert_allclose(losses, expected, rtol=RTOL)
    assert_same(*engines)
    assert torch.equal(engines[0].networks().outer, task.networks.outer)


# The interpreter takes seconds for each.
@pytest.mark.parametrize(
    ("size", "optimizer"),
    [(1, "adam"), (5, "gradient_descent"), (33, "heavy_ball"), (40, "nesterov"), (33, "adam")],
)
def test_minibatches_are_those_of_the_torch_engine(engine, device, optimizer, size):
    task = example(2, 40, 2, 33, device, optimizer)
    task = replace(task, batch_size=size, batch_seeds=[3, 8])
    engines = engine(task), make_torch_engine(task)
    for logged in ([True, False, True, False], [False, False, True, True]):
        losses, expected = (advance(each, [0.5, 1.3], 4, logged) for each in engines)
        np.testing.assert_allclose(losses, expected, rtol=RTOL)
        assert_same(*engines)


def test_switches_that_preserve_the_function_are_those_of_the_torch_engine(engine, device):
    task = replace(example(2, 9, 2, 33, device), preserve_function=True)
    engines = engine(task), make_torch_engine(task)
    for each in engines:
        advance(each, [0.5, 1.0])
    jumps = []
    for each in engines:
        before = each.measure(np.array([0.5, 1.0]))
        each.preserve(np.array([0.5, 1.0]), np.array([1.5, 2.0]))
        jumps.append(each.measure(np.array([1.5, 2.0])) / before - 1)
    # The loss is a sum of squares of differences of numbers of order 1.
    np.testing.assert_allclose(jumps, 0, atol=1e-12)
    losses, expected = (advance(each, [1.5, 2.0]) for each in engines)
    np.testing.assert_allclose(losses, expected, rtol=RTOL)
    assert_same(*engines)
    np.testing.assert_allclose(engines[0].state.skip, engines[1].state.skip, rtol=RTOL)


@dataclass(frozen=True)
class Regression(TwoLayerRegression):
    """Two-layer regression by a given engine on any device: the interpreter's is the CPU."""

    make: Callable[[Task], Engine] = make_torch_engine

    def make_engine(self, task):
        return self.make(task)


@pytest.mark.parametrize("options", [{}, {"batch_size": 4}, {"preserve_function": True}])
def test_a_training_is_that_of_the_torch_engine(engine, device, options):
    """Two stages with a common first one, logged and not, from `hrta.train`."""
    schedules = [Schedule.constant_length(s, 12) for s in ([0.5, 1.0], [0.5, 1.5], [1.0, 1.3])]
    given = example(3, 11, 2, 20, device)
    start, rates = given.networks.inner[:1].repeat(3, 1, 1), [0.02, 0.02, 0.05]
    networks = TwoLayer(start, given.networks.outer[:1].repeat(3, 1))
    seeds = {"batch_seeds": [4, 4, 4]} if "batch_size" in options else {}
    trained, expected = (
        train(
            given.problem,
            networks,
            schedules,
            learning_rate=rates,
            log_every=5,
            decay=0.5,
            objective=Regression(make),
            **options,
            **seeds,
        )
        for make in (engine, make_torch_engine)
    )
    assert trained.engine == "triton"
    for name in ("loss", "test_loss"):
        np.testing.assert_allclose(trained.history[name], expected.history[name], rtol=RTOL)
    torch.testing.assert_close(
        trained.networks.inner, expected.networks.inner, rtol=RTOL, atol=RTOL
    )
    np.testing.assert_allclose(trained.skip, expected.skip, rtol=RTOL, atol=RTOL)


@pytest.mark.parametrize("options", [{}, {"batch_size": 4, "preserve_function": True}])
def test_a_training_resumes_from_a_checkpoint(engine, device, tmp_path, monkeypatch, options):
    task, schedule = example(2, 11, 2, 20, device), Schedule.constant_length([0.5, 1.5], 8)

    def trained(progress=None, checkpoint=None):
        return train(
            task.problem,
            task.networks,
            schedule,
            learning_rate=task.learning_rate,
            objective=Regression(engine),
            progress=progress,
            checkpoint=checkpoint,
            **options,
        )

    def stop(done, total):
        if done >= total // 2 + 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "WRITING_FRACTION", np.inf)
    with pytest.raises(KeyboardInterrupt):
        trained(stop, tmp_path / "state.npz")
    resumed, whole = trained(checkpoint=tmp_path / "state.npz"), trained()
    assert resumed.history.equals(whole.history)
    assert torch.equal(resumed.networks.inner, whole.networks.inner)
    assert np.array_equal(resumed.skip, whole.skip)


@pytest.mark.parametrize(
    ("optimizer", "points", "inputs", "width", "test"),
    [
        ("gradient_descent", 7, 1, 7, 3),
        ("heavy_ball", 1, 2, 33, 40),
        ("nesterov", 40, 5, 33, 0),
        ("adam", 40, 1, 16, 1),
        ("adam", 5, 20, 33, 0),
        ("adam", 6, 2, 300, 3),
    ],
)
def test_agrees_with_the_torch_engine(engine, device, optimizer, points, inputs, width, test):
    task = example(2, points, inputs, width, device, optimizer, test=test)
    large = {"neurons": 64, "block": 128} if width > 100 else {}
    engines = engine(task, **large), make_torch_engine(task)
    logged = [True, False, True]
    for s, reset in [([0.5, 1.0], [False, True]), ([2.0, 1.3], [True, False])]:
        for each in engines:
            each.reset(np.array(reset))
        losses, expected = (advance(each, s, 3, logged) for each in engines)
        assert losses.shape == (2 if test else 1, 2, 3)
        assert losses.dtype == np.float64
        np.testing.assert_allclose(losses, expected, rtol=RTOL)
        assert_same(*engines)


def test_starts_from_a_copy_and_gives_copies(engine, device):
    task = example(2, 5, 1, 7, device)
    trained = engine(task)
    before = trained.networks()
    assert torch.equal(before.inner, task.networks.inner)
    advance(trained, [1, 1], 1)
    assert torch.equal(before.inner, task.networks.inner)
    assert not torch.equal(trained.networks().inner, task.networks.inner)


@pytest.mark.parametrize("optimizer", ["nesterov", "adam"])
def test_agrees_with_the_torch_engine_in_single_precision(engine, device, optimizer):
    task = example(2, 7, 2, 33, device, optimizer, torch.float32)
    engines = engine(task), make_torch_engine(task)
    losses, expected = (advance(each, [0.5, 1.5], 4) for each in engines)
    np.testing.assert_allclose(losses, expected, rtol=2e-5)
    assert_same(*engines, rtol=1e-4)
    assert engines[0].networks().inner.dtype == torch.float32


@pytest.mark.parametrize("first", [1, 3])  # found by the measurement, and in the middle
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_diverged_run_stays_as_it_is(engine, device, optimizer, first):
    task = example(2, 5, 1, 7, device, optimizer)
    task.learning_rate[0] = 1e200
    engines = engine(task), make_torch_engine(task)
    for s, steps in [(1.0, first), (0.0, 2)]:
        losses, expected = (advance(each, [s, 0.7], steps) for each in engines)
        np.testing.assert_allclose(losses, expected, rtol=RTOL)
        assert_same(*engines)
    assert engines[0].diverged.tolist() == [1, -1]
    assert np.isinf(losses[:, 0]).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_run_does_not_depend_on_the_others(engine, device, dtype):
    task = example(3, 6, 2, 20, device, dtype=dtype)
    together = engine(task)
    losses = advance(together, [0.5, 1.0, 1.5])
    one = TwoLayer(task.networks.inner[2:], task.networks.outer[2:])
    rate = task.learning_rate[2:]
    alone = engine(task_of(task.problem, one, momentum=0.8, learning_rate=rate))
    assert np.array_equal(advance(alone, [1.5]), losses[:, 2:])
    assert torch.equal(alone.networks().inner, together.networks().inner[2:])
    assert torch.equal(alone.networks().outer, together.networks().outer[2:])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_runs_that_part_go_on_from_where_they_were(engine, device, optimizer):
    task = example(2, 6, 2, 20, device, optimizer)
    engines = engine(task), make_torch_engine(task)
    for each in engines:
        advance(each, [0.5, 1.0])
        each.branch(np.array([0, 1, 1]))
    losses, expected = (advance(each, [0.5, 1.0, 1.5]) for each in engines)
    assert losses.shape == (2, 3, 4)
    np.testing.assert_allclose(losses, expected, rtol=RTOL)
    assert_same(*engines)


def test_a_neuron_that_is_active_nowhere_does_not_move_under_relu(engine, device):
    task = example(1, 6, 1, 7, device)
    task.networks.inner[0, :, 3] = torch.tensor([0.1, -100.0])
    trained = engine(task)
    advance(trained, [1.0])
    assert torch.equal(trained.networks().inner[..., 3], task.networks.inner[..., 3])
    assert torch.equal(trained.networks().outer[..., 3], task.networks.outer[..., 3])


def test_the_gradient_at_the_kink_is_that_of_the_torch_engine(engine, device):
    task = example(1, 6, 1, 7, device, "gradient_descent")
    task.networks.inner[0, :, 3] = 0
    engines = engine(task), make_torch_engine(task)
    for each in engines:
        advance(each, [0.7], 1)
    assert_same(*engines)


@pytest.mark.parametrize("where", ["compiler"], indirect=True)
def test_tiles_fit_the_registers(cuda):
    for points, width in [(1, 1), (100, 50), (125, 200), (10000, 1000), (3, 10**6)]:
        for inputs in (2, 4, 21, 101, 10**4):
            for item in (4, 8):
                tiles = cuda.choose_tiles(points, inputs, width, item)
                assert all(number & (number - 1) == 0 for number in tiles)
                assert 32 <= tiles.points <= 128
                assert tiles.inputs >= inputs
                assert 1 <= tiles.warps <= 8
                if inputs <= 128:
                    assert tiles.inputs * tiles.block * item <= 2**14
                if inputs <= 8:  # each warp has 32 neurons of its own, or there are no 32
                    assert tiles.warps == 1 or tiles.warps * 32 <= tiles.block
    assert cuda.choose_tiles(100, 2, 1000, 4) == (128, 64, 2, 1024, 8)


# A100, H100 and H200, B200.
@pytest.mark.parametrize("where", ["compiler"], indirect=True)
@pytest.mark.parametrize(
    ("architecture", "inputs", "width", "options"),
    [
        (80, 1, 1000, {}),
        (80, 3, 200, {"batch_size": 25}),
        (90, 1, 50, {"optimizer": "heavy_ball"}),
        (90, 1, 1000, {}),
        (90, 3, 50, {"optimizer": "gradient_descent"}),
        (90, 3, 1000, {"batch_size": 25}),
        (90, 10, 200, {"dtype": torch.float64}),
        (100, 1, 1000, {"fixed_outer": True}),
        (100, 3, 1000, {"optimizer": "nesterov"}),
    ],
)
def test_the_kernels_compile_for_gpus_that_are_not_there(
    engine, architecture, inputs, width, options
):
    batch_size = options.pop("batch_size", None)
    task = replace(example(2, 100, inputs, width, "cpu", **options), batch_size=batch_size)
    with compile_only(architecture) as kernels:
        unmoved = engine(task)
        advance(unmoved, [1, 1], steps=1)
        advance(unmoved, [1, 1], steps=16)
    loop, measure, again, _ = kernels
    assert loop is again  # whatever the number of steps
    # Scalars of a step may be on the stack; nothing is, in the loops over points and neurons.
    assert resources_of(loop).stack <= 32
    for instructions in inner_loops(loop):
        assert not {"STL", "LDL"} & set(instructions)
    # After the residual, before the weights are overwritten, and after the update.
    assert loop.asm["ptx"].count("bar.sync") >= 3
    # No load that may miss what other threads of the program have written.
    assert not any("ld.global.nc" in kernel.asm["ptx"] for kernel in (loop, measure))


@pytest.mark.parametrize("where", [on_gpu], indirect=True)
@pytest.mark.parametrize("inputs", [1, 3, 8])
@pytest.mark.parametrize("width", [50, 1000])
@pytest.mark.parametrize("batch_size", [None, 40])
def test_many_steps_are_the_same_each_time(engine, device, inputs, width, batch_size):
    """Threads that did not wait for each other would give other numbers now and then."""
    task = example(3, 100, inputs, width, device, dtype=torch.float32)
    task = replace(task, batch_size=batch_size)
    task.learning_rate[:] = 1e-3
    logged = np.arange(300) % 3 == 0
    engines = engine(task), engine(task)
    losses, again = (advance(each, [0.5, 1.0, 1.5], 300, logged, 1.0) for each in engines)
    assert np.array_equal(losses, again)
    assert_same(*engines, rtol=0)
    expected = advance(make_torch_engine(task), [0.5, 1.0, 1.5], 300, logged, 1.0)
    np.testing.assert_allclose(losses, expected, rtol=1e-2)


@pytest.mark.parametrize("where", [on_gpu], indirect=True)
def test_auto_is_the_triton_engine_on_a_gpu(where):
    task = example(2, 5, 1, 7, "cuda")
    assert TwoLayerRegression().make_engine(task).name == "triton"
