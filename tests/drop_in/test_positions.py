"""States of a scheduler: those that a training reaches, and no others."""

import pytest
from torch import nn

import hrta
from hrta import HomotopyScheduler, Plateau, Stage


def scheduler(steps=4):
    model = hrta.convert(nn.Sequential(nn.Linear(1, 2), nn.ReLU()))
    return HomotopyScheduler(model, [Stage(1, steps), Stage(1.5, 2)], Plateau(patience=3))


@pytest.mark.parametrize(
    "change",
    [
        *({name: True} for name in ("stage", "steps", "waited", "lowest")),
        *({name: 2**70} for name in ("stage", "steps", "waited")),
        {"stage": 2, "steps": 2**70},
        {"steps": 4},
        {"steps": 1, "waited": 2},
        {"steps": 3, "waited": 3},
        {"schedule": [[True, 4], [1.5, 2]]},
    ],
)
def test_a_state_that_no_training_reaches_is_refused(change):
    given = scheduler()
    with pytest.raises(ValueError, match=r"^HomotopyScheduler: "):
        given.load_state_dict(given.state_dict() | change)
    assert (given.stage, given.s) == (1, 1.0)


def test_every_state_that_a_training_reaches_is_accepted():
    trained = scheduler()
    for loss in (5, 4, 4, 4, 4, 4, 4, 4, 4, 4):
        trained.step(loss)
        resumed = scheduler()
        resumed.load_state_dict(trained.state_dict())
        assert resumed.state_dict() == trained.state_dict()
