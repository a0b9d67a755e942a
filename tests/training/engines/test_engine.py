"""The switch that leaves the function as it was."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hrta import Schedule, Stage, TwoLayer, train
from hrta.networks.two_layer import with_bias

SWITCH = Schedule([Stage(1.0, 6), Stage(1.5, 5), Stage(2.0, 4)])


@pytest.fixture(params=["torch", "numba"])
def engine(request):
    return request.param


@given(before=st.floats(0, 2), after=st.floats(0.01, 2), seed=st.integers(0, 99))
def test_no_output_changes(before, after, seed):
    networks = TwoLayer.initialise([seed], inputs=3, width=40, dtype=torch.float64)
    x = np.random.default_rng(seed).normal(size=(50, 3))
    moved, skip = networks.preserving([before], [after])
    kept = moved.predict(x, after).numpy() + skip @ with_bias(x, networks.inner).numpy().T
    # Outputs are of order 10; rescaled weights grow by up to before / after.
    scale = max(1.0, before / after)
    np.testing.assert_allclose(kept, networks.predict(x, before), rtol=0, atol=1e-12 * scale)


def plain_loop(problem, inner, outer, schedule, learning_rate):
    """One network, trained by Adam of torch and switched by hand; its losses and test losses."""
    inner, outer = inner.clone().requires_grad_(), outer.clone().requires_grad_()
    optimizer = torch.optim.Adam([inner, outer], lr=learning_rate)
    slope = torch.zeros(len(inner), dtype=torch.float64)
    x, x_test = (with_bias(points, inner) for points in (problem.x, problem.x_test))

    def loss(points, targets, s):
        z = points @ inner
        values = ((1 - s / 2) * z + s / 2 * z.abs()) @ outer / outer.numel() ** 0.5
        return ((values + points @ slope - torch.tensor(targets)) ** 2).mean() / 2

    rows, before = [], schedule.stages[0].s
    for stage in schedule.stages:
        with torch.no_grad():
            slope += (1 - before / stage.s) * (inner @ outer) / outer.numel() ** 0.5
            outer *= before / stage.s
        for _ in range(stage.steps):
            here = loss(x, problem.y, stage.s)
            rows.append([here.item(), loss(x_test, problem.y_test, stage.s).item()])
            optimizer.zero_grad()
            here.backward()
            optimizer.step()
        before = stage.s
    rows.append([loss(p, y, before).item() for p, y in ((x, problem.y), (x_test, problem.y_test))])
    return np.array(rows)


def test_every_step_is_that_of_a_plain_loop(small_problem, small_networks, engine):
    training = train(
        *(small_problem, small_networks, SWITCH, "adam", 0.02),
        preserve_function=True,
        engine=engine,
    )
    for run, own in training.history.groupby("run"):
        networks = small_networks.inner[run], small_networks.outer[run]
        expected = plain_loop(small_problem, *networks, SWITCH, 0.02)
        np.testing.assert_allclose(own[["loss", "test_loss"]], expected, rtol=1e-10)


def test_the_loss_jumps_without_and_not_with_it(small_problem, small_networks, engine):
    def losses(schedule, preserve_function):
        training = train(
            *(small_problem, small_networks, schedule, "gradient_descent", 0.05),
            preserve_function=preserve_function,
            engine=engine,
        )
        return training.history.pivot(index="run", columns="step", values="loss").to_numpy()

    stays = losses(Schedule([Stage(1.0, 15)]), False)[:, 6]
    np.testing.assert_allclose(losses(SWITCH, True)[:, 6], stays, rtol=1e-12)
    assert (abs(losses(SWITCH, False)[:, 6] / stays - 1) > 1e-2).all()


def test_the_skip_term_belongs_to_the_answer(small_problem, small_networks, engine):
    training = train(small_problem, small_networks, SWITCH, preserve_function=True, engine=engine)
    values = training.networks.predict(small_problem.x, 2.0).numpy()
    values += training.skip @ with_bias(small_problem.x, small_networks.inner).numpy().T
    final = training.history[training.history["step"] == SWITCH.steps]["loss"]
    np.testing.assert_allclose(((values - small_problem.y) ** 2).mean(1) / 2, final, rtol=1e-12)
    assert not train(small_problem, small_networks, SWITCH, engine=engine).skip.any()


def test_runs_that_part_at_a_switch_are_as_if_alone(small_problem, small_networks, engine):
    schedules = [SWITCH, Schedule([Stage(1.0, 15)]), Schedule([Stage(1.0, 6), Stage(0.5, 9)])]
    same = TwoLayer(small_networks.inner[[0, 0, 0]], small_networks.outer[[0, 0, 0]])
    together = train(small_problem, same, schedules, preserve_function=True, engine=engine)
    alone = TwoLayer(small_networks.inner[:1], small_networks.outer[:1])
    for run, schedule in enumerate(schedules):
        own = train(small_problem, alone, schedule, preserve_function=True, engine=engine)
        assert np.array_equal(own.skip[0], together.skip[run])
        assert torch.equal(own.networks.outer[0], together.networks.outer[run])
        losses = together.history.query("run == @run")["loss"].to_numpy()
        assert np.array_equal(own.history["loss"], losses)


def test_a_diverged_run_stays_as_it_is(small_problem, small_networks, engine):
    training = train(
        *(small_problem, small_networks, SWITCH, "gradient_descent", [1e9, *[0.01] * 4]),
        preserve_function=True,
        engine=engine,
    )
    assert list(training.diverged) == [0]
    assert np.isfinite(training.skip).all()
    assert training.skip[1:].any()
    assert np.isfinite(training.history.query("run > 0")["loss"]).all()


def test_a_switch_to_the_identity_is_refused(small_problem, small_networks, engine):
    schedule = Schedule([Stage(1.0, 2), Stage(0.0, 2)])
    with pytest.raises(
        ValueError, match="s after a function-preserving switch must be above 0; it is 0"
    ):
        train(small_problem, small_networks, schedule, preserve_function=True, engine=engine)
