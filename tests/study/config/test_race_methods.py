from typing import get_args

import pytest

from hrta.activations import BASES
from hrta.study.config.mistakes import ConfigError, checked
from hrta.study.config.race_methods import Candidate, Entry, Grid, PerceptronMethod
from hrta.study.config.values import BaseName

ADAM = {"trainer": "gradient", "optimizer": "adam", "s": [1, 1.5]}
DEEP = {"trainer": "perceptron", "base": "tanh", "hidden": 3, "s": [1, 1.5]}


def entry(method=ADAM, **grid):
    return {"method": method, "grid": grid}


def test_a_grid_is_every_combination():
    grid = Grid(learning_rate=[0.1, 0.2], momentum=[0.5, 0.9])
    assert grid.candidates == [
        Candidate(learning_rate=rate, momentum=momentum)
        for rate in (0.1, 0.2)
        for momentum in (0.5, 0.9)
    ]


@pytest.mark.parametrize(
    ("method", "grid"),
    [
        (ADAM, {"learning_rate": [0.1]}),
        (ADAM | {"optimizer": "nesterov"}, {"learning_rate": [0.1], "momentum": [0.9]}),
        (DEEP, {"learning_rate": [0.1]}),
        ({"trainer": "lbfgs"}, {"learning_rate": [1], "history_size": [5]}),
        ({"trainer": "anmin"}, {"ridge": [1e-3]}),
        (
            {"trainer": "laaf", "activation": "relu", "adaptive": "layer"},
            {"learning_rate": [0.1, 0.2], "recovery": [0]},
        ),
        (
            {"trainer": "laaf", "activation": "tanh", "adaptive": "none"},
            {"learning_rate": [0.1, 0.2]},
        ),
    ],
)
def test_every_trainer_has_parameters_of_its_own(method, grid):
    read = Entry(**entry(method, **grid))
    assert set(read.grid.values) == read.method.tuned == set(grid)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "must be a valid dictionary"),
        (entry({"trainer": "magic"}, learning_rate=[1]), "does not match any of the expected tags"),
        (entry(learning_rate=[]), "list should have at least 1 item"),
        (entry(learning_rate=[-1]), "greater than 0"),
        (entry(learning_rate=[1, 1]), "entries must differ"),
        (entry(), "the grid must have values of exactly learning_rate; it has none"),
        (entry(learning_rate=[1], ridge=[1]), "it has learning_rate, ridge"),
        (entry(ADAM | {"optimizer": "nesterov"}, learning_rate=[1]), "learning_rate, momentum"),
        (entry(ADAM | {"s": [3]}, learning_rate=[1]), "less than or equal to 2"),
        (entry(ADAM | {"s": [1], "stages": 3}, learning_rate=[1]), "s must have two values"),
        (entry(ADAM | {"speed": 1}, learning_rate=[1]), "unknown key; allowed are s, stages"),
        (entry(DEEP | {"base": "step"}, learning_rate=[1]), "must be 'relu', 'relu2', 'tanh',"),
        (entry(DEEP | {"hidden": 0}, learning_rate=[1]), "greater than or equal to 1"),
        (entry(DEEP | {"s": []}, learning_rate=[1]), "list should have at least 1 item"),
        (entry(DEEP | {"s": [1, -1]}, learning_rate=[1]), "greater than or equal to 0"),
        (entry(DEEP | {"s": [1], "layerwise": True}, learning_rate=[1]), "needs a second s"),
        (entry(DEEP, learning_rate=[1], momentum=[0.9]), "it has learning_rate, momentum"),
    ],
)
def test_a_wrong_entry_is_one_line(given, message):
    with pytest.raises(ConfigError, match="entry: ") as raised:
        checked(Entry, given, "entry")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_activations_of_a_perceptron_are_all_there_are():
    assert set(get_args(BaseName)) == set(BASES)


@pytest.mark.parametrize(
    ("s", "layerwise", "stages"),
    [
        ([1], False, [(1, 1, 1)]),
        ([1, 1.5], False, [(1, 1, 1), (1.5, 1.5, 1.5)]),
        ([1, 1.5], True, [(1, 1, 1), (1.5, 1, 1), (1.5, 1.5, 1), (1.5, 1.5, 1.5)]),
        (
            [0.5, 1, 1.5],
            True,
            [(0.5,) * 3, (1, 1, 1), (1.5, 1, 1), (1.5, 1.5, 1), (1.5, 1.5, 1.5)],
        ),
    ],
)
def test_layers_change_together_or_one_after_another(s, layerwise, stages):
    method = PerceptronMethod(**DEEP | {"s": s, "layerwise": layerwise})
    assert method.stage_count == len(stages)
    schedules = method.schedules(50)
    assert len(schedules) == method.hidden
    for layer, schedule in enumerate(schedules):
        assert [stage.s for stage in schedule.stages] == [values[layer] for values in stages]
        assert schedule.steps == 50
        assert schedule.switches == schedules[0].switches
    lengths = [stage.steps for stage in schedules[0].stages]
    assert max(lengths) - min(lengths) <= 1
