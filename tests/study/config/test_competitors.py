import pytest
from config_examples import changed
from hrta.study.config.contestants import Candidate

from hrta.study.config.replication import ConfigError, check_config
from hrta.study.config.values import OptimizerName

RACE = "siblings.race"


def test_every_method_has_a_grid_of_the_same_size_and_every_optimizer_races():
    race = check_config(changed("device", "cpu")).siblings.race
    sizes = {len(race.grids[method.grid].value.candidates) for method in race.methods.values()}
    assert sizes == {12}
    optimizers = {
        method.method.optimizer
        for method in race.methods.values()
        if method.method.trainer == "gradient"
    }
    assert optimizers == set(OptimizerName.__args__)
    assert {method.method.trainer for method in race.methods.values()} == {
        *("gradient", "laaf", "lbfgs", "anmin"),
    }
    assert Candidate(ridge=1e-3) in race.grids["ridge"].value.candidates


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (
            f"{RACE}.problems.abalone",
            {
                "label": "abalone",
                "widths": {"value": [8], "source": "ours"},
                "evaluations": {"value": 9, "source": "ours"},
            },
            "config: siblings.race.problems.abalone: 'abalone' given; allowed are jump1d, sine1d",
        ),
        (
            f"{RACE}.problems.wine.widths.value",
            [],
            "config: siblings.race.problems.wine.widths.value: [] given; list should have at least",
        ),
        (
            f"{RACE}.methods.adam.grid",
            "fine",
            "config: siblings.race.methods.adam.grid: 'fine' given; allowed are descent, momentum",
        ),
        (
            f"{RACE}.methods.adam.grid",
            "momentum",
            "'momentum' given; its grid must have values of learning_rate, and of nothing else",
        ),
        (
            f"{RACE}.methods.relaxed_adam.baseline",
            "sam",
            "config: siblings.race.methods.relaxed_adam.baseline: 'sam' given; allowed are adam",
        ),
        (
            f"{RACE}.methods.adam.method.optimizer",
            "sgd",
            "method.gradient.optimizer: 'sgd' given; input should be 'gradient_descent'",
        ),
        (
            f"{RACE}.methods.adam.method.trainer",
            "magic",
            "does not match any of the expected tags: 'gradient', 'perceptron', 'laaf', 'lbfgs'",
        ),
        (
            f"{RACE}.grids.adam.value.learning_rate",
            [0.1],
            "siblings.race.grids: 'descent 12, momentum 12, adam 1, slopes 12, lbfgs 12, ridge 12'",
        ),
        (
            "siblings.adaptive_slopes.checkpoints.value",
            [20_000],
            "siblings.adaptive_slopes.checkpoints.value: [20000] given; there are 15000 steps",
        ),
        (
            "siblings.adaptive_slopes.experiment",
            "wine",
            "siblings.adaptive_slopes.experiment: 'wine' given; allowed are jump1d, sine1d, sine3d",
        ),
        (
            "siblings.acceleration.problems.moon",
            {"label": "moon"},
            "config: siblings.acceleration.problems.moon: 'moon' given; allowed are jump1d, ",
        ),
        (
            "siblings.alternation.problems",
            ["iris"],
            "siblings.alternation.problems: 'iris' given; of width 50 the race has sine1d, ",
        ),
        (
            "siblings.alternation.against",
            ["anmin", "sam"],
            "siblings.alternation.against: 'sam' given; allowed are adam, relaxation_adam",
        ),
        (
            "siblings.alternation.against",
            ["adam", "sgd"],
            "siblings.alternation.against: ['adam', 'sgd'] given; anmin must be among them",
        ),
        (
            f"{RACE}.methods.adam.baseline",
            "adam",
            "config: siblings.race.methods.adam.baseline: 'adam' given; allowed are relaxation",
        ),
        (
            f"{RACE}.methods.adam.label",
            "Nesterov",
            "every label may be there only once",
        ),
        (
            f"{RACE}.problems.wine.evaluations.value",
            2,
            "siblings.race.problems.wine.evaluations.value: 2 given; at least 3 are needed",
        ),
        (
            "siblings.acceleration.problems.wine.points",
            {"value": 20, "source": "ours"},
            "siblings.acceleration.problems.wine.points: 20 given; real data have theirs",
        ),
        (
            "siblings.acceleration.problems.sine3d.points.value",
            26,
            "siblings.acceleration.problems.sine3d.points.value: 26 given; problem sine3d: points",
        ),
        (
            "experiments.wine",
            changed("device", "cpu")["experiments"]["sine1d"],
            "config: experiments.wine: 'wine' given; a set of real data has this name",
        ),
    ],
)
def test_one_mistake_is_one_line(path, value, line):
    with pytest.raises(ConfigError) as error:
        check_config(changed(path, value))
    assert line in str(error.value)
    assert "\n" not in str(error.value)
