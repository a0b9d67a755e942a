import pytest
from config_examples import changed

from hrta.activations import BASES
from hrta.problems.poisson import QUADRATURES
from hrta.study.config.mistakes import ConfigError
from hrta.study.config.replication import check_config
from hrta.study.config.values import BaseName

SETTINGS = check_config(changed("device", "cpu"))
EXTENSIONS = SETTINGS.extensions
SCHEDULES = "extensions.schedules"
ENTRY = {
    "label": "mine",
    "widths": {"value": [8], "source": "ours"},
    "evaluations": {"value": 900, "source": "ours"},
}


def test_activations_are_those_that_there_are():
    assert set(BaseName.__args__) == set(BASES)
    assert set(EXTENSIONS.activations.bases) == set(BASES)


def test_every_path_is_run_under_every_optimizer():
    race = EXTENSIONS.schedules.race
    assert len(race.methods) == 2 * len(EXTENSIONS.schedules.variants)
    kept = race.methods["kept5_adam"]
    assert (kept.method.optimizer, kept.method.stages) == ("adam", 5)
    assert kept.method.preserve_function
    assert (kept.baseline, kept.grid) == ("relu_adam", "adam")
    assert kept.label == "1 → 3/2, M = 5, no jump, Adam"
    assert race.methods["relu_gradient_descent"].baseline is None
    assert race.jobs["never_adam"] == ["relu_adam", "relaxed_adam", "absolute_adam"]
    assert sum(len(methods) for methods in race.jobs.values()) == len(race.methods)


def test_every_path_is_run_in_every_network():
    race = EXTENSIONS.depth.race
    assert set(race.jobs) == {f"{base}_{n}" for base in ("relu", "tanh") for n in (2, 3, 5)}
    layerwise = race.methods["tanh_3_relaxation_layerwise"]
    assert (layerwise.method.base, layerwise.method.hidden) == ("tanh", 3)
    assert layerwise.method.layerwise
    assert layerwise.baseline == "tanh_3_plain"


def test_a_small_race_is_one_job():
    race = EXTENSIONS.depth.race.model_copy(update={"together": True})
    assert race.jobs == {"all": list(race.methods)}


def test_poisson_is_solved_by_every_quadrature():
    assert set(SETTINGS.poisson.quadratures) == set(QUADRATURES)
    assert SETTINGS.poisson.problems["poisson"].paper


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("extensions.activations.bases.swish", "Swish", "bases.swish: 'swish' given; must be"),
        ("extensions.activations.paths.plain.s", [], "paths.plain.s: [] given; list should have"),
        ("extensions.activations.paths.plain.s", [3], "paths.plain.s.0: 3 given; must be less"),
        (
            "extensions.depth.paths.plain.layerwise",
            True,
            "layerwise needs a second s",
        ),
        ("extensions.depth.hidden.value", [0], "extensions.depth.hidden.value.0: 0 given; must be"),
        (
            "extensions.depth.problems.moons",
            ENTRY,
            "extensions.depth.problems.moons: 'moons' given; allowed are sine1d, sine3d, jump1d",
        ),
        (
            "extensions.depth.problems.sine1d.evaluations.value",
            5,
            "extensions.depth.problems.sine1d.evaluations.value: 5 given; must be at least 6",
        ),
        (
            f"{SCHEDULES}.problems.digits_classes",
            ENTRY,
            f"{SCHEDULES}.problems.digits_classes: 'digits_classes' given; it has classes, and",
        ),
        (f"{SCHEDULES}.variants.stages3.stages", 1, "variants.stages3.stages: 1 given; must"),
        (f"{SCHEDULES}.variants.relu.stages", 3, "s must have two values, the first and the last"),
        (f"{SCHEDULES}.variants.at10.switch", 1.5, "variants.at10.switch: 1.5 given; must"),
        (f"{SCHEDULES}.variants.at10.family", "a b", "variants.at10.family: 'a b' given"),
        (f"{SCHEDULES}.variants.at10.label", "ReLU", "labels must differ"),
        (f"{SCHEDULES}.curves", ["relu", "none"], "schedules.curves: 'none' given; allowed are"),
        (
            f"{SCHEDULES}.optimizers.adam.grid.value.learning_rate",
            [0.1],
            f"{SCHEDULES}.grids: 'adam 1, gradient_descent 6' given; all grids must have the same",
        ),
        (
            "poisson.problems.poisson.points.value",
            399,
            "points.value: 399 given; grid: points must be k^2 for an integer k >= 1; it is 399",
        ),
        (
            "poisson.problems.poisson.solution",
            "sines",
            "solution: 'sines' given; poisson problem: name must be one of cosines, product",
        ),
        ("poisson.quadratures.simpson", {"label": "Simpson"}, "quadratures.simpson: 'simpson' gi"),
        (
            "poisson.methods.relu2.s",
            [1],
            "config: poisson.methods: {'relu2': 1, 'homotopy': 2, 'relaxation': 2, 'relaxed': 2}",
        ),
    ],
)
def test_one_mistake_is_one_line(path, value, line):
    with pytest.raises(ConfigError) as error:
        check_config(changed(path, value))
    assert line in str(error.value)
    assert "\n" not in str(error.value)
