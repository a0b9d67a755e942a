import numpy as np
import pytest
import torch
from torch import nn

from hrta import HomotopyScheduler, Plateau, Schedule, Stage, TwoLayer, convert, train
from hrta.training.plateaus import train_with_plateaus

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
    training = train_with_plateaus(
        small_problem,
        small_networks,
        SCHEDULE,
        plateau,
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
    never = train_with_plateaus(small_problem, small_networks, SCHEDULE, Plateau(1000), **options)
    plain = train(small_problem, small_networks, SCHEDULE, **options)
    assert never.history.equals(plain.history)


def test_schedules_may_differ_in_their_number_of_stages(small_problem, small_networks):
    pair = TwoLayer(small_networks.inner[:2], small_networks.outer[:2])
    single = Schedule([Stage(1.0, SCHEDULE.steps)])
    training = train_with_plateaus(small_problem, pair, [single, SCHEDULE], Plateau(1, 0.9))
    stages = training.history.groupby("run")["stage"].max()
    assert stages.tolist() == [1, 3]
