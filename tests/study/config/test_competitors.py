import pytest
from config_examples import changed

from hrta.study.config.mistakes import ConfigError
from hrta.study.config.race_methods import Candidate
from hrta.study.config.replication import check_config
from hrta.study.config.values import OptimizerName

RACE = "competitors.race"


def test_every_method_has_a_grid_of_the_same_size_and_every_optimizer_races():
    race = check_config(changed("device", "cpu")).competitors.race
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
            "competitors.race.problems.abalone: 'abalone' given; allowed are jump1d, sine1d",
        ),
        (
            f"{RACE}.problems.wine.widths.value",
            [],
            "competitors.race.problems.wine.widths.value: [] given; list should have at least",
        ),
        (
            f"{RACE}.methods.adam.grid",
            "fine",
            "competitors.race.methods.adam.grid: 'fine' given; allowed are descent, momentum",
        ),
        (
            f"{RACE}.methods.adam.grid",
            "momentum",
            "'momentum' given; the grid must have values of exactly learning_rate",
        ),
        (
            f"{RACE}.methods.relaxed_adam.baseline",
            "sam",
            "competitors.race.methods.relaxed_adam.baseline: 'sam' given; allowed are adam",
        ),
        (
            f"{RACE}.methods.adam.method.optimizer",
            "sgd",
            "method.gradient.optimizer: 'sgd' given; must be 'gradient_descent'",
        ),
        (
            f"{RACE}.methods.adam.method.trainer",
            "magic",
            "does not match any of the expected tags: 'gradient', 'perceptron', 'laaf', 'lbfgs'",
        ),
        (
            f"{RACE}.grids.adam.value.learning_rate",
            [0.1],
            "competitors.race.grids: 'descent 12, momentum 12, adam 1, slopes 12, lbfgs 12",
        ),
        (
            "competitors.adaptive_slopes.solution_steps.value",
            [20_000],
            "competitors.adaptive_slopes.solution_steps.value: [20000] given; there are 15000",
        ),
        (
            "competitors.adaptive_slopes.experiment",
            "wine",
            "competitors.adaptive_slopes.experiment: 'wine' given; allowed are jump1d, sine1d",
        ),
        (
            "competitors.acceleration.problems.moon",
            {"label": "moon"},
            "competitors.acceleration.problems.moon: 'moon' given; allowed are jump1d, ",
        ),
        (
            "competitors.alternation.problems",
            ["iris"],
            "competitors.alternation.problems: 'iris' given; with width 50 the race has sine1d, ",
        ),
        (
            "competitors.alternation.against",
            ["anmin", "sam"],
            "competitors.alternation.against: 'sam' given; allowed are adam, relaxation_adam",
        ),
        (
            "competitors.alternation.against",
            ["adam", "sgd"],
            "competitors.alternation.against: ['adam', 'sgd'] given; must have anmin and another",
        ),
        (
            f"{RACE}.methods.adam.baseline",
            "adam",
            "competitors.race.methods.adam.baseline: 'adam' given; allowed are relaxation",
        ),
        (
            f"{RACE}.methods.adam.label",
            "Nesterov",
            "labels must differ",
        ),
        (
            f"{RACE}.problems.wine.evaluations.value",
            2,
            "competitors.race.problems.wine.evaluations.value: 2 given; must be at least 3",
        ),
        (
            "competitors.acceleration.problems.wine.points",
            {"value": 20, "source": "ours"},
            "competitors.acceleration.problems.wine.points: 20 given; must be left out for real",
        ),
        (
            "competitors.acceleration.problems.sine3d.points.value",
            26,
            "competitors.acceleration.problems.sine3d.points.value: 26 given; problem sine3d",
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
