import json

import pytest

from hrta.contestants import Candidate, Grid, read_entry

ADAM = {"trainer": "gradient", "optimizer": "adam", "s": [1, 1.5]}


def entry(method=ADAM, **grid):
    return json.dumps({"method": method, "grid": grid})


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
    read = read_entry(entry(method, **grid))
    assert (
        {name for name, value in read.grid if value is not None} == read.method.tuned == set(grid)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "entry: no JSON"),
        ("[]", "entry: entry: input should be a valid dictionary"),
        (entry({"trainer": "magic"}, learning_rate=[1]), "does not match any of the expected tags"),
        (entry(learning_rate=[]), "list should have at least 1 item"),
        (entry(learning_rate=[-1]), "greater than 0"),
        (entry(learning_rate=[1, 1]), "every entry may be there only once"),
        (entry(), "its grid must have values of learning_rate, and of nothing else; it has none"),
        (entry(learning_rate=[1], ridge=[1]), "it has learning_rate, ridge"),
        (entry(ADAM | {"optimizer": "nesterov"}, learning_rate=[1]), "learning_rate, momentum"),
        (entry(ADAM | {"s": [3]}, learning_rate=[1]), "less than or equal to 2"),
        (entry(ADAM | {"s": [1], "stages": 3}, learning_rate=[1]), "s must be two values"),
        (entry(ADAM | {"speed": 1}, learning_rate=[1]), "unknown key; allowed are s, stages"),
    ],
)
def test_a_wrong_entry_is_one_line(text, message):
    with pytest.raises(ValueError, match="entry: ") as raised:
        read_entry(text)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
