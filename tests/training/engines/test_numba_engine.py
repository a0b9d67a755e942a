import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from training_tasks import both_engines, random_problem

from hrta import Problem, Schedule, Stage, TwoLayer, train
from hrta.training.kernels.one_dimensional import CHUNK
from hrta.training.optimizers import OPTIMIZERS


@settings(deadline=None, max_examples=80)
@given(
    points=st.integers(1, 40),
    inputs=st.sampled_from([1, 1, 2, 3, 4, 7, 12]),
    width=st.one_of(st.integers(1, 70), st.integers(250, 300), st.integers(CHUNK - 8, CHUNK + 8)),
    s=st.lists(st.floats(0, 2), min_size=1, max_size=4),
    optimizer=st.sampled_from(list(OPTIMIZERS)),
    rate=st.floats(1e-4, 0.05),
    seed=st.integers(0, 1000),
    fixed_outer=st.booleans(),
    part=st.one_of(st.none(), st.floats(0.01, 1)),
)
def test_every_step_is_that_of_the_torch_engine(
    points, inputs, width, s, optimizer, rate, seed, fixed_outer, part
):
    problem = random_problem(points, inputs, seed)
    networks = TwoLayer.initialise(range(len(s)), inputs, width, dtype=torch.float64)
    schedules = [Schedule([Stage(value, 4), Stage(2 - value, 6)]) for value in s]
    rates = rate * np.arange(1, len(s) + 1)
    batch_size = part and max(1, int(part * points))
    expected, trained = (
        train(
            problem,
            networks,
            schedules,
            optimizer,
            rates,
            0.8,
            decay=0.3,
            fixed_outer=fixed_outer,
            batch_size=batch_size,
            engine=engine,
        )
        for engine in ("torch", "numba")
    )
    for name in ("loss", "test_loss"):
        # Residuals, of terms of order 1: near 0 they keep the rounding of the terms.
        ours, theirs = (np.sqrt(2 * run.history[name]) for run in (trained, expected))
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13)
    for name in ("inner", "outer"):
        ours, theirs = getattr(trained.networks, name), getattr(expected.networks, name)
        # Weights are of order 1; Adam's first steps divide a gradient by itself.
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("inputs", [1, 3])
def test_many_steps_in_double_precision(inputs, optimizer):
    """With few seeds, but long enough for neurons to switch at many points, and back."""
    problem = random_problem(50, inputs)
    networks = TwoLayer.initialise(range(2), inputs, 40, dtype=torch.float64)
    schedule = Schedule([Stage(0.5, 150), Stage(1.5, 150)])
    expected, trained = (
        train(problem, networks, schedule, optimizer, 0.02, engine=engine).history
        for engine in ("torch", "numba")
    )
    np.testing.assert_allclose(trained["loss"], expected["loss"], rtol=1e-10)
    assert trained["loss"].iloc[-1] < trained["loss"].iloc[0]


@pytest.mark.parametrize(
    "x",
    [
        [0.5],
        [0.3, 0.3, 0.3, -1, -1, 2],
        np.linspace(1, -1, 9),
        [0.0, 0.0],
        [1e-300, -1e-300, 1e300, -1e300],
    ],
    ids=["one", "repeated", "falling", "zeros", "extreme"],
)
def test_any_points_in_one_dimension(x):
    x = np.array(x, dtype=float)[:, None]
    problem = Problem("mine", x, np.cos(np.arange(len(x))))
    networks = TwoLayer.initialise(range(3), 1, 20, dtype=torch.float64)
    networks.inner[:, 0, :3] = torch.tensor([0.0, -0.0, 1e-310], dtype=torch.float64)
    networks.inner[:, :, 5] = 0
    schedule = Schedule([Stage(1.3, 5)])
    rate = 0.01 if np.abs(x).max() < 1e100 else 1e-300
    expected, trained = (
        train(problem, networks, schedule, "heavy_ball", rate, engine=engine)
        for engine in ("torch", "numba")
    )
    np.testing.assert_allclose(trained.history["loss"], expected.history["loss"], rtol=1e-10)
    torch.testing.assert_close(
        trained.networks.inner, expected.networks.inner, rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("inputs", [1, 2])
def test_the_derivative_at_the_kink_is_that_of_the_torch_engine(inputs):
    """Neurons of weight 0 have z = 0 everywhere."""
    problem = random_problem(6, inputs)
    networks = TwoLayer.initialise([0], inputs, 20, dtype=torch.float64)
    networks.inner[:, :, ::3] = 0
    s = np.array([1.2])
    engines = both_engines(problem, networks, optimizer="gradient_descent", learning_rate=0.1)
    for engine in engines:
        engine.advance(s, np.ones(1), np.zeros(1, bool))
    expected, ours = (engine.networks() for engine in engines)
    torch.testing.assert_close(ours.inner, expected.inner, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("inputs", [1, 3])
def test_a_neuron_active_nowhere_never_moves(inputs, dtype):
    """Adam would blow up the rounding of sums that cancel only nearly; so they must be empty."""
    problem = random_problem(30, inputs)
    networks = TwoLayer.initialise([0], inputs, 40, dtype=dtype)
    networks.inner[:, -1, ::2] = -100
    trained = train(problem, networks, Schedule([Stage(1, 1200)]), engine="numba").networks
    assert torch.equal(trained.inner[:, :, ::2], networks.inner[:, :, ::2])
    assert torch.equal(trained.outer[:, ::2], networks.outer[:, ::2])
    assert not torch.equal(trained.outer, networks.outer)


@pytest.mark.parametrize("inputs", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_threads_change_no_bit(inputs, dtype):
    problem = random_problem(33, inputs)
    networks = TwoLayer.initialise(range(9), inputs, 37, dtype=dtype)
    schedule = Schedule.constant_length([1, 1.5], 40)
    before = torch.get_num_threads()
    trained = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            trained.append(train(problem, networks, schedule, learning_rate=0.01, engine="numba"))
    finally:
        torch.set_num_threads(before)
    for other in trained[1:]:
        assert other.history.equals(trained[0].history)
        assert torch.equal(other.networks.inner, trained[0].networks.inner)


@pytest.mark.parametrize("inputs", [1, 3])
def test_losses_in_single_precision_are_distributed_alike(inputs):
    """Rounding parts the runs of two engines; what they reach over seeds stays the same."""
    problem = random_problem(30, inputs)
    networks = TwoLayer.initialise(range(100), inputs, 30)
    schedule = Schedule.constant_length([1, 1.5], 300)
    final = []
    for engine in ("torch", "numba"):
        history = train(
            problem, networks, schedule, learning_rate=0.02, log_every=600, engine=engine
        ).history
        final.append(history.loc[history["step"] == 600, "loss"])
    assert ks_2samp(*final).pvalue > 0.5
    assert abs(np.log(np.median(final[0]) / np.median(final[1]))) < 0.02


@pytest.mark.parametrize("width", [30, 2 * CHUNK + 30])
def test_training_in_pieces_is_training_at_once(width):
    networks = TwoLayer.initialise(range(3), 1, width)
    problem = random_problem(40, 1)
    s = np.array([0.5, 1, 1.7])
    _, whole = both_engines(problem, networks, learning_rate=0.01)
    _, pieces = both_engines(problem, networks, learning_rate=0.01)
    logged = np.arange(60) % 7 == 0
    expected = whole.advance(s, np.linspace(1, 0.5, 60), logged)
    parts = [
        pieces.advance(s, np.linspace(1, 0.5, 60)[part], logged[part])
        for part in (slice(0, 1), slice(1, 30), slice(30, 60))
    ]
    assert np.array_equal(np.concatenate(parts, axis=2), expected)
    assert torch.equal(whole.networks().inner, pieces.networks().inner)


def test_code_just_compiled_and_code_from_the_cache_give_the_same_numbers(tmp_path):
    """What a process compiles and what it reads from disk must not sum in different orders."""
    script = "\n".join(
        [
            "import hashlib",
            "from hrta import Schedule, TwoLayer, train",
            "from hrta.networks.adaptive import AdaptiveNetworks",
            "from hrta.problems.targets import make_problem",
            "for name, points in (('sine1d', 50), ('sine3d', 27)):",
            "    networks = TwoLayer.initialise(range(4), 1 if points == 50 else 3, 40)",
            "    schedule = Schedule.constant_length([1, 1.5], 50)",
            "    problem = make_problem(name, points, 7)",
            "    history = train(problem, networks, schedule, engine='numba').history",
            "    print(hashlib.sha256(history.to_csv().encode()).hexdigest())",
            "networks = AdaptiveNetworks.of_two_layer(networks, 'tanh', 'neuron')",
            "history = train(problem, networks, Schedule.constant_length([1], 50)).history",
            "print(hashlib.sha256(history.to_csv().encode()).hexdigest())",
        ]
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", script]
    first, second = (
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert len(first.split()) == 3
    assert list(tmp_path.rglob("*.nbi"))
    assert first == second
