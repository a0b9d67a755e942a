import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hrta import HomotopyScheduler, Plateau, Schedule, Stage, TwoLayer, convert, train
from hrta.schedules import PlateauTracker

SCHEDULE = Schedule([Stage(0.5, 40), Stage(1.0, 30), Stage(1.5, 20)])


def plain_loop(problem, inner, outer, plateau, learning_rate):
    """One network under gradient descent and the scheduler for anybody's model."""
    width = len(outer)
    model = nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, 1, bias=False)).double()
    with torch.no_grad():
        model[0].weight.copy_(inner[:-1].T)
        model[0].bias.copy_(inner[-1])
        model[2].weight.copy_(outer)
    scheduler = HomotopyScheduler(convert(model), SCHEDULE, plateau)
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    x, y = torch.tensor(problem.x), torch.tensor(problem.y)
    rows = []
    for _ in range(SCHEDULE.steps):
        optimizer.zero_grad()
        loss = ((model(x).squeeze(1) / width**0.5 - y) ** 2).mean() / 2
        loss.backward()
        rows.append((scheduler.s, loss.item()))
        optimizer.step()
        scheduler.step(loss)
    return np.array(rows)


@pytest.mark.parametrize("plateau", [Plateau(3, 0.01), Plateau(2, 0.1), Plateau(50, 0.0)])
def test_stages_end_where_the_scheduler_ends_them(small_problem, small_networks, plateau):
    rates = [0.3, 0.1, 0.03, 0.2, 0.15]
    training = train(
        small_problem,
        small_networks,
        SCHEDULE,
        plateau=plateau,
        optimizer="gradient_descent",
        learning_rate=rates,
    )
    for run, own in training.history.groupby("run"):
        weights = small_networks.inner[run], small_networks.outer[run]
        expected = plain_loop(small_problem, *weights, plateau, rates[run])
        np.testing.assert_array_equal(own["s"][:-1], expected[:, 0])
        np.testing.assert_allclose(own["loss"][:-1], expected[:, 1], rtol=1e-9)
    assert (training.history.groupby("run")["step"].max() == SCHEDULE.steps).all()
    switched = training.history.groupby(["run", "stage"])["step"].min().unstack()
    assert switched.nunique().max() > 1 or plateau.patience == 50


def test_without_a_plateau_it_is_plain_training(small_problem, small_networks):
    options = {"optimizer": "gradient_descent", "learning_rate": 0.05}
    never = train(small_problem, small_networks, SCHEDULE, plateau=Plateau(1000), **options)
    plain = train(small_problem, small_networks, SCHEDULE, **options)
    assert never.history.equals(plain.history)


def test_schedules_may_differ_in_their_number_of_stages(small_problem, small_networks):
    pair = TwoLayer(small_networks.inner[:2], small_networks.outer[:2])
    single = Schedule([Stage(1.0, SCHEDULE.steps)])
    training = train(small_problem, pair, [single, SCHEDULE], plateau=Plateau(1, 0.9))
    stages = training.history.groupby("run")["stage"].max()
    assert stages.tolist() == [1, 3]


def ended_early(schedule, stage, history, rule):
    """The schedule with that stage ended by the rule, from the history of training along it."""
    if stage >= len(schedule.stages):
        return schedule
    start, stages = [0, *schedule.switches][stage - 1], list(schedule.stages)
    tracker = PlateauTracker(rule)
    rows = history.loc[history["stage"] == stage, ["step", "loss"]].to_numpy()
    lengths = (int(step) + 1 - start for step, loss in rows if tracker.update(loss))
    steps = next(lengths, stages[stage - 1].steps)
    remaining = stages[stage - 1].steps - steps
    stages[-1] = Stage(stages[-1].s, stages[-1].steps + remaining)
    stages[stage - 1] = Stage(stages[stage - 1].s, steps)
    return Schedule(stages)


@pytest.mark.parametrize("log_every", [1, 4])
@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adam"},
        {"optimizer": "nesterov", "batch_size": 4},
        {"reset_optimizer": True, "decay": 0.3},
        {"preserve_function": True},
        {"optimizer": "gradient_descent", "learning_rate": [1e30, 0.1, 1e30, 0.1, 0.1]},
    ],
    ids=str,
)
@pytest.mark.parametrize("plateau", [Plateau(3, 0.01), Plateau(1, 0.5), Plateau(4, 0.0)])
def test_it_is_training_anew_for_every_stage(
    small_problem, small_networks, plateau, options, log_every
):
    """Bit for bit, and though runs of equal weights share what they have in common."""
    networks = TwoLayer(
        small_networks.inner[[0, 1, 0, 1, 0]], small_networks.outer[[0, 1, 0, 1, 0]]
    )
    schedules = [
        SCHEDULE,
        SCHEDULE,
        Schedule([Stage(0.5, 90)]),
        Schedule([Stage(0.5, 50), Stage(2, 40)]),
    ]
    schedules.append(SCHEDULE)
    options = {"learning_rate": 0.05, "log_every": log_every, **options}
    found = train(small_problem, networks, schedules, plateau=plateau, **options)
    for stage in (1, 2):
        history = train(small_problem, networks, schedules, **options).history
        rows = [own for _, own in history.groupby("run")]
        schedules = [
            ended_early(schedule, stage, own, plateau)
            for schedule, own in zip(schedules, rows, strict=True)
        ]
    expected = train(small_problem, networks, schedules, **options)
    pd.testing.assert_frame_equal(found.history, expected.history, check_exact=True)
    assert torch.equal(found.networks.inner, expected.networks.inner)
    assert found.diverged == expected.diverged
