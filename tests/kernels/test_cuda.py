"""The CUDA engine against the reference: in Triton's interpreter, and on a GPU if there is one."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import numpy as np
import pytest
import torch

from hrta.kernels import make_engine
from hrta.kernels.engine import Points, Setting
from hrta.kernels.reference import ReferenceEngine
from hrta.networks import TwoLayer, with_bias

pytest.importorskip("triton")

OPTIMIZERS = ["gradient_descent", "heavy_ball", "nesterov", "adam"]
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
on_gpu = pytest.param("gpu", marks=needs_gpu)


def of_triton(name: str) -> bool:
    """Whether the module holds Triton's functions or ours; libtriton can be loaded only once."""
    ours = name in ("hrta.kernels.cuda", "hrta.kernels.triton_loop")
    return ours or (name.split(".")[0] == "triton" and not name.startswith("triton._C"))


@contextmanager
def triton_anew(interpret: bool) -> Iterator[ModuleType]:
    """hrta.kernels.cuda with kernels interpreted or compiled, which Triton settles at import."""
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if of_triton(name)}
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TRITON_INTERPRET", str(int(interpret)))
            yield importlib.import_module("hrta.kernels.cuda")
    finally:
        for name in list(sys.modules):
            if of_triton(name):
                del sys.modules[name]
        sys.modules.update(before)


@pytest.fixture(scope="module", params=["interpreter", on_gpu])
def where(request) -> Iterator[str]:
    """interpreter, gpu or compiler; one at a time."""
    with triton_anew(interpret=request.param == "interpreter"):
        yield request.param


@pytest.fixture
def cuda(where) -> ModuleType:
    return sys.modules["hrta.kernels.cuda"]


@pytest.fixture
def device(where) -> str:
    return "cuda" if where == "gpu" else "cpu"


@pytest.fixture
def engine(cuda, where):
    """Makes engines; in the interpreter their tiles are small, so that there are many of them."""

    def make(networks, setting, neurons=8, block=16):
        inputs = 1 << networks.inputs.bit_length()
        tiles = cuda.Tiles(points=32, neurons=neurons, inputs=inputs, block=block, warps=1)
        return cuda.CudaEngine(networks, setting, tiles if where == "interpreter" else None)

    return make


def example(runs, points, inputs, width, device, optimizer="adam", dtype=torch.float64, test=3):
    """Networks and a setting, with another learning rate for each run."""
    networks = TwoLayer.initialise(range(runs), inputs, width, dtype, device)
    random = np.random.default_rng(points + inputs + width)

    def some(number):
        x = with_bias(random.normal(size=(number, inputs)), networks.inner)
        return Points(x, torch.tensor(random.normal(size=number)).to(networks.inner))

    rates = np.array([0.02, 0.1, 0.05])[:runs]
    return networks, Setting(some(points), some(test) if test else None, optimizer, 0.8, rates)


def advance(engine, s, steps=3, logged=None, decay=0.9):
    """Losses, test losses [R, logged] and then those after the last step."""
    s, logged = np.array(s), np.ones(steps, bool) if logged is None else np.array(logged)
    with np.errstate(all="ignore"):  # the interpreter's numpy minds infinity and the mean of none
        during = engine.advance(s, decay ** np.arange(steps), logged)
        after = engine.measure(s)
    return np.concatenate([np.stack(during), np.stack(after)[:, :, None]], axis=2)


def assert_same(engine, expected, rtol=1e-10):
    for name in ("inner", "outer"):
        ours, theirs = getattr(engine.networks(), name), getattr(expected.networks(), name)
        torch.testing.assert_close(ours, theirs, rtol=rtol, atol=rtol)
    assert engine.diverged.tolist() == expected.diverged.tolist()


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
def test_agrees_with_the_reference(engine, device, optimizer, points, inputs, width, test):
    networks, setting = example(2, points, inputs, width, device, optimizer, test=test)
    large = {"neurons": 64, "block": 128} if width > 100 else {}
    engines = engine(networks, setting, **large), ReferenceEngine(networks, setting)
    logged = [True, False, True]
    for s, reset in [([0.5, 1.0], [False, True]), ([2.0, 1.3], [True, False])]:
        for each in engines:
            each.reset(np.array(reset))
        losses, expected = (advance(each, s, 3, logged) for each in engines)
        assert losses.shape == (2, 2, 3)
        assert losses.dtype == np.float64
        np.testing.assert_allclose(losses, expected, rtol=1e-10)
        assert_same(*engines)


def test_starts_from_a_copy(engine, device):
    networks, setting = example(2, 5, 1, 7, device)
    inner = networks.inner.clone()
    trained = engine(networks, setting)
    assert torch.equal(trained.networks().inner, inner)
    before = trained.networks().outer
    advance(trained, [1, 1], 1)
    assert torch.equal(networks.inner, inner)
    assert not torch.equal(trained.networks().inner, inner)
    assert not torch.equal(trained.networks().outer, before)


@pytest.mark.parametrize("optimizer", ["nesterov", "adam"])
def test_agrees_with_the_reference_in_single_precision(engine, device, optimizer):
    networks, setting = example(2, 7, 2, 33, device, optimizer, torch.float32)
    engines = engine(networks, setting), ReferenceEngine(networks, setting)
    losses, expected = (advance(each, [0.5, 1.5], 4) for each in engines)
    np.testing.assert_allclose(losses, expected, rtol=2e-5)
    assert_same(*engines, rtol=1e-4)
    assert engines[0].networks().inner.dtype == torch.float32


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_diverged_run_stays_as_it_is(engine, device, optimizer):
    networks, setting = example(2, 5, 1, 7, device, optimizer)
    setting.learning_rate[0] = 1e200
    engines = engine(networks, setting), ReferenceEngine(networks, setting)
    for steps in (1, 3, 2):
        losses, expected = (advance(each, [1.0, 0.7], steps) for each in engines)
        np.testing.assert_allclose(losses, expected, rtol=1e-10)
        assert_same(*engines)
    assert engines[0].diverged[0] > 0
    assert engines[0].diverged[1] == -1
    assert np.isinf(losses[:, 0]).all()


def test_divergence_is_found_in_the_middle_and_lasts_under_another_s(engine, device):
    networks, setting = example(1, 5, 1, 7, device, "gradient_descent")
    setting.learning_rate[0] = 1e200
    diverging = engine(networks, setting)
    assert np.isinf(advance(diverging, [1.0], 3)).tolist() == [[[False, True, True, True]]] * 2
    assert diverging.diverged.tolist() == [1]
    assert np.isinf(advance(diverging, [0.0], 2)).all()
    assert diverging.diverged.tolist() == [1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_run_does_not_depend_on_the_others(engine, device, dtype):
    networks, setting = example(3, 6, 2, 20, device, dtype=dtype)
    together = engine(networks, setting)
    losses = advance(together, [0.5, 1.0, 1.5])
    one = TwoLayer(networks.inner[2:], networks.outer[2:])
    rate = setting.learning_rate[2:]
    alone = engine(one, Setting(setting.points, setting.test, "adam", 0.8, rate))
    assert np.array_equal(advance(alone, [1.5]), losses[:, 2:])
    assert torch.equal(alone.networks().inner, together.networks().inner[2:])
    assert torch.equal(alone.networks().outer, together.networks().outer[2:])


def test_a_neuron_that_is_active_nowhere_does_not_move_under_relu(engine, device):
    networks, setting = example(1, 6, 1, 7, device)
    networks.inner[0, :, 3] = torch.tensor([0.1, -100.0])
    trained = engine(networks, setting)
    advance(trained, [1.0])
    assert torch.equal(trained.networks().inner[..., 3], networks.inner[..., 3])
    assert torch.equal(trained.networks().outer[..., 3], networks.outer[..., 3])


def test_the_gradient_at_the_kink_is_that_of_the_reference(engine, device):
    networks, setting = example(1, 6, 1, 7, device, "gradient_descent")
    networks.inner[0, :, 3] = 0
    engines = engine(networks, setting), ReferenceEngine(networks, setting)
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


@pytest.mark.parametrize("where", ["compiler"], indirect=True)
@pytest.mark.parametrize("kind", ["fp32", "fp64"])
def test_the_kernel_compiles_for_a_gpu_that_is_not_there(cuda, kind, tmp_path, monkeypatch):
    from triton import compile
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    tiles = cuda.choose_tiles(100, 2, 200, int(kind[2:]) // 8)
    plan = cuda.Plan(200, 2, "adam", 0.9, 2, 0.9, 0.999, 1e-8, tiles)
    numbers, doubles, data = f"*{kind}", "*fp64", cuda.Data(f"*{kind}", f"*{kind}", "i32")
    kinds = dict.fromkeys(cuda.advance.arg_names, numbers) | {
        "data": data,
        "test": data,
        "plan": "constexpr",
        **dict.fromkeys(("corrections", "learning_rate", "factors", "losses"), doubles),
        **dict.fromkeys(("diverged", "rows"), "*i64"),
        **dict.fromkeys(("logged", "steps", "first_step"), "i32"),
    }
    compiled = compile(
        ASTSource(cuda.advance, kinds, {(cuda.advance.arg_names.index("plan"),): plan}),
        target=GPUTarget("cuda", 90, 32),
        options={"num_warps": tiles.warps, "num_stages": 1, "enable_fp_fusion": True},
    )
    # No load that may miss what other threads of the program have written.
    assert "ld.global.nc" not in compiled.asm["ptx"]
    assert "bar.sync" in compiled.asm["ptx"]


@pytest.mark.parametrize("where", [on_gpu], indirect=True)
@pytest.mark.parametrize("inputs", [1, 3, 8])
@pytest.mark.parametrize("width", [50, 1000])
def test_many_steps_are_the_same_each_time(engine, device, inputs, width):
    networks, setting = example(3, 100, inputs, width, device, dtype=torch.float32)
    setting.learning_rate[:] = 1e-3
    engines = engine(networks, setting), engine(networks, setting)
    losses, again = (advance(each, [0.5, 1.0, 1.5], 300, decay=1.0) for each in engines)
    assert np.array_equal(losses, again)
    assert_same(*engines, rtol=0)
    expected = advance(ReferenceEngine(networks, setting), [0.5, 1.0, 1.5], 300, decay=1.0)
    np.testing.assert_allclose(losses, expected, rtol=1e-2)


@pytest.mark.parametrize("where", [on_gpu], indirect=True)
def test_auto_is_the_cuda_engine_on_a_gpu(where):
    networks, setting = example(2, 5, 1, 7, "cuda")
    assert make_engine("auto", networks, setting).name == "cuda"
