import copy
import re

import pytest
import yaml
from config_examples import CONFIG, REPLICATION, changed
from hypothesis import given, settings
from hypothesis import strategies as st
from snakemake.utils import update_config

from hrta.runtime import memory
from hrta.study.config.mistakes import ConfigError
from hrta.study.config.replication import check_config
from hrta.study.config.values import OptimizerName
from hrta.training.optimizers import OPTIMIZERS


def test_the_replication_is_valid_and_as_the_paper():
    settings = check_config(REPLICATION)
    assert settings.baseline == "relu"
    assert {name: method.s for name, method in settings.methods.items()} == {
        "relu": [1, 1],
        "homotopy": [0.5, 1],
        "relaxation": [1, 1.5],
        "relaxed": [1.5, 1.5],
        "absolute": [2, 2],
    }
    assert settings.experiments["sine1d"].points.value == 100
    assert settings.experiments["sine1d"].points.source == "review"


def test_the_smoke_configuration_is_valid_and_only_smaller():
    smoke = copy.deepcopy(REPLICATION)
    update_config(smoke, yaml.safe_load((CONFIG / "smoke.yaml").read_text()))
    small, full = check_config(smoke), check_config(REPLICATION)
    assert list(small.experiments) == list(full.experiments)
    assert small.methods == full.methods
    assert small.optimizers == full.optimizers
    assert small.seeds.value < full.seeds.value


def test_optimizers_are_those_that_there_are():
    assert set(OptimizerName.__args__) == set(OPTIMIZERS)


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("device", "gpu", "config: device: 'gpu' given; must be 'auto', 'cpu' or 'cuda'"),
        ("seeds.value", 0, "config: seeds.value: 0 given; must be greater than or equal"),
        ("seeds.value", 2.5, "config: seeds.value: 2.5 given; must be a valid integer"),
        ("seeds.value", "many", "config: seeds.value: 'many' given; must be a valid int"),
        ("seeds.value", True, "config: seeds.value: True given; must be a valid integer"),
        (
            "seeds.source",
            "guess",
            "config: seeds.source: 'guess' given; must be 'abstract'",
        ),
        ("seeds.source", ..., "config: seeds.source: Field required"),
        ("seeds", 20, "config: seeds: 20 given; must be"),
        ("sedes", 20, "config: sedes: unknown key; allowed are device, engine, dtype, seeds,"),
        (
            "experiments.sine1d.widhts",
            [50],
            "config: experiments.sine1d.widhts: unknown key; allowed are label, paper, problem, ",
        ),
        (
            "experiments.sine1d.widths.value",
            [50, -200],
            "config: experiments.sine1d.widths.value.1: -200 given; must be greater than",
        ),
        (
            "experiments.sine1d.widths.value",
            [50, 50],
            "config: experiments.sine1d.widths.value: [50, 50] given; entries must differ",
        ),
        (
            "experiments.sine1d.problem",
            "cosine",
            "config: experiments.sine1d.problem: 'cosine' given; allowed are sine1d, sine3d",
        ),
        (
            "experiments.sine1d.methods",
            ["relu", "magic"],
            "config: experiments.sine1d.methods: 'magic' given; allowed are relu, homotopy, ",
        ),
        (
            "experiments.sine1d.methods",
            ["relaxed"],
            "config: experiments.sine1d.methods: ['relaxed'] given; must have relu, the baseline",
        ),
        (
            "experiments.sine1d.optimizers",
            ["nesterov"],
            "config: experiments.sine1d.optimizers: 'nesterov' given; allowed are adam, gradient",
        ),
        (
            "experiments.sine3d.points.value",
            100,
            "config: experiments.sine3d.points.value: 100 given; problem sine3d: points must be",
        ),
        (
            "methods.relaxation.s",
            [1, 2.5],
            "config: methods.relaxation.s.1: 2.5 given; must be less than or equal to 2",
        ),
        ("methods.relaxation.s", [], "config: methods.relaxation.s: [] given; list should have at"),
        (
            "methods.relaxation.s",
            [1, 1.2, 1.5],
            "all must have the same number of stages",
        ),
        (
            "methods.1x",
            {"label": "x", "s": [1, 1], "source": "ours"},
            "config: methods.1x: '1x' giv",
        ),
        (
            "optimizers.sgd",
            REPLICATION["optimizers"]["adam"],
            "config: optimizers.sgd: 'sgd' given; must be 'gradient_d",
        ),
        (
            "optimizers.adam.learning_rates.value",
            [0.1, -0.1],
            "config: optimizers.adam.learning_rates.value.1: -0.1 given; must be greater",
        ),
        (
            "optimizers.adam.learning_rates.value",
            [float("inf")],
            "config: optimizers.adam.learning_rates.value.0: inf given; must be a finite",
        ),
        (
            "optimizers.adam.learning_rates.value",
            [0.1, 0.1],
            "config: optimizers.adam.learning_rates.value: [0.1, 0.1] given; entries must differ",
        ),
        (
            "engine",
            "gpu",
            "config: engine: 'gpu' given; must be 'auto', 'torch', 'numba' or 'triton'",
        ),
        ("engine", "reference", "config: engine: 'reference' given; it was renamed to torch"),
        ("engine", "cpu", "config: engine: 'cpu' given; it was renamed to numba"),
        ("engine", "cuda", "config: engine: 'cuda' given; it was renamed to triton"),
        ("siblings", {}, "config: siblings: unknown key; it was renamed to competitors"),
        ("beyond", {}, "config: beyond: unknown key; it was renamed to extensions"),
        (
            "competitors.adaptive_slopes.checkpoints",
            {},
            "adaptive_slopes.checkpoints: unknown key; it was renamed to solution_steps",
        ),
        (
            "optimizers.adam.momentum",
            {"value": 0.9, "source": "ours"},
            "config: optimizers.adam.momentum: 0.9 given; must be given for heavy_ball and nest",
        ),
        ("training.decay.value", 0, "config: training.decay.value: 0 given; must be grea"),
        ("spectra.s.value", [3], "config: spectra.s.value.0: 3 given; must be less than"),
        ("experiments", {}, "config: experiments: {} given; dictionary should have at least 1"),
        ("training", ..., "config: training: Field required"),
    ],
)
def test_one_mistake_is_one_line_with_path_value_and_what_is_allowed(path, value, line):
    with pytest.raises(ConfigError) as error:
        check_config(changed(path, value))
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_two_mistakes_are_two_lines():
    config = changed("device", "gpu")
    config["dtype"] = "half"
    with pytest.raises(ConfigError) as error:
        check_config(config)
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize("config", [None, [], "text", {}])
def test_what_is_no_configuration_is_refused(config):
    with pytest.raises(ConfigError, match=r"^config: "):
        check_config(config)


@given(st.floats())
def test_s_is_accepted_exactly_in_its_range(s):
    config = changed("methods.relaxation.s", [1, s])
    if 0 <= s <= 2:
        assert check_config(config).methods["relaxation"].s == [1, s]
    else:
        with pytest.raises(ConfigError, match=r"methods\.relaxation\.s\.1"):
            check_config(config)


@settings(max_examples=25)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_nonsense_is_always_a_config_error(nonsense):
    for path in ("seeds", "experiments.sine1d", "methods", "experiments.sine1d.methods"):
        with pytest.raises(ConfigError, match=r"^config: "):
            check_config(changed(path, nonsense))


def test_what_yaml_takes_for_text_is_still_a_number():
    config = changed("optimizers.adam.learning_rates.value", yaml.safe_load("[1e-3]"))
    assert check_config(config).optimizers["adam"].learning_rates.value == [0.001]


def test_true_is_no_number():
    for path, value in (
        ("optimizers.adam.learning_rates.value", [True]),
        ("training.decay.value", True),
    ):
        with pytest.raises(ConfigError, match="True given; must be a valid number"):
            check_config(changed(path, value))


def test_momentum_is_given_where_it_is_used():
    config = copy.deepcopy(REPLICATION)
    config["optimizers"]["nesterov"] = config["optimizers"]["adam"]
    with pytest.raises(ConfigError, match=r"optimizers\.nesterov\.momentum: None given"):
        check_config(config)


SIZES = ["seeds", "experiments.sine1d.points", "experiments.sine1d.test_points"]
SIZES += [
    "spectra.seeds",
    "poisson.problems.poisson_product.points",
    "competitors.race.tuning_seeds",
]


@pytest.mark.parametrize("path", SIZES)
def test_more_seeds_or_points_than_fit_into_memory_are_refused(path):
    line = rf"config: {path}\.value: 1000000000000 given; too many: .* GiB needed, .* GiB free"
    with pytest.raises(ConfigError, match=line):
        check_config(changed(f"{path}.value", 10**12))


def test_points_that_do_not_fit_when_they_are_made_are_refused(monkeypatch):
    monkeypatch.setattr(memory, "_free_memory", lambda: 250_000.0)
    line = r"sine1d\.points\.value: 10000 given; problem sine1d: 10000 points .* GiB needed"
    with pytest.raises(ConfigError, match=line):
        check_config(changed("seeds.value", 20))


@pytest.mark.parametrize("name", ["a" * 300, "ab" * 31, "b" * 20, "mine" + "_c" * 20])
def test_names_that_no_file_and_no_wildcard_can_have_are_one_line(name):
    config = copy.deepcopy(REPLICATION)
    config["experiments"][name] = config["experiments"]["sine1d"]
    with pytest.raises(ConfigError) as error:
        check_config(config)
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"config: experiments.{name}: ")
    assert re.search("should have at most 60 characters|repeat the same letters 20 times", line)
