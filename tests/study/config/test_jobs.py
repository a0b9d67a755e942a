"""The specs of all jobs: as JSON and back, their names, and what their digests depend on."""

import json
from pathlib import Path

import pytest
from config_examples import REPLICATION, changed, laid_over

from hrta.problems.targets import make_problem
from hrta.study.config.jobs import SPEC, make_jobs
from hrta.study.config.mistakes import ConfigError, checked
from hrta.study.config.replication import check_config, points_digest

FULL = make_jobs(check_config(REPLICATION))
SWEPT = make_jobs(check_config(laid_over("sweep")))
# One job of each type that the configuration makes.
EXAMPLES = {spec.job: spec for spec in [*FULL.values(), *SWEPT.values()]}


@pytest.mark.parametrize("name", ["replication", "smoke", "sweep", "chaos"])
def test_every_spec_survives_the_way_through_json(name):
    jobs = make_jobs(check_config(laid_over(name)))
    for spec in jobs.values():
        again = SPEC.validate_json(spec.json_text)
        assert again == spec
        assert type(again) is type(spec)
        assert (again.digest, again.json_text) == (spec.digest, spec.json_text)
        assert "\n" not in spec.json_text
    digests = [spec.digest for spec in jobs.values()]
    assert len(set(digests)) == len(digests)


def test_jobs_are_named_after_their_results():
    folders = {name.partition("/")[0] for name in FULL}
    data = {"data", "runs", "spectra", "theory", "poisson", *check_config(REPLICATION).races}
    assert folders == data | {"slopes", "acceleration", "anmin"}
    assert FULL["runs/sine1d/adam/width50"].width == 50
    assert FULL["poisson/poisson_grid"].experiment == "poisson_grid"
    assert SWEPT["sweep/adam/batch000"].ensembles[0].experiment == "sine1d"
    for name, spec in FULL.items():
        if name.startswith("data/"):
            assert spec.problem.file is None
    assert FULL["data/sine1d"].problem.digest == make_problem("sine1d", 100, 200).digest
    assert points_digest("sine1d", 100, 200) == make_problem("sine1d", 100, 200).digest
    assert points_digest("sine1d", 100, 200) != points_digest("sine1d", 100, 201)


def test_a_spec_has_the_numbers_of_the_configuration():
    spec = FULL["runs/jump1d/gradient_descent/width200"]
    assert (spec.seeds, spec.stage_steps, spec.decay, spec.log_every) == (100, 5000, 0.1, 25)
    assert spec.learning_rates == [0.1, 0.3, 1.0]
    assert spec.methods["relaxation"] == [1, 1.5]
    assert spec.problem.file == "data/jump1d.parquet"
    motion = FULL["theory/motion/adam"]
    assert (motion.learning_rate, motion.seeds, motion.stage_steps) == (0.001, 5, 2000)
    race = FULL["race/momentum"]
    assert list(race.entries) == [
        *("nesterov", "relaxation_nesterov", "relaxed_nesterov", "heavy_ball"),
    ]
    assert (race.seeds, race.tuning_seeds, race.decay, race.final_fraction) == (20, 3, 0.1, 0.02)
    assert (race.problems[0].widths, race.problems[0].evaluations) == ([50, 200, 1000], 1500)


def test_a_long_ensemble_is_split_by_learning_rate():
    one, rates = "runs/sine3d/adam/width1000", REPLICATION["optimizers"]["adam"]["learning_rates"]
    parts = {name: spec for name, spec in FULL.items() if name.startswith(one)}
    assert list(parts) == [f"{one}_rate{number}" for number in (1, 2, 3)]
    assert [spec.learning_rates for spec in parts.values()] == [[rate] for rate in rates["value"]]
    others = [{**dict(spec), "learning_rates": None} for spec in parts.values()]
    assert others == [others[0]] * 3
    assert len(FULL["runs/sine3d/adam/width200"].learning_rates) == 3
    config = changed("experiments.sine3d.by_rate_from", 200)
    assert "runs/sine3d/adam/width200_rate3" in make_jobs(check_config(config))


def test_a_momentum_reaches_the_specs_of_its_optimizer():
    momentum = {"momentum": {"value": 0.8, "source": "ours"}}
    config = changed("optimizers.nesterov", REPLICATION["optimizers"]["adam"] | momentum)
    config["experiments"]["sine1d"]["optimizers"] = ["nesterov", "adam"]
    jobs = make_jobs(check_config(config))
    assert jobs["runs/sine1d/nesterov/width50"].momentum == 0.8
    assert jobs["runs/sine1d/adam/width50"].momentum == 0.9


def other(value):
    """Another value of the same kind, at each place of a list or mapping in turn."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, float):
        yield 0.9 * value + 0.0123
    elif isinstance(value, str):
        words = {"adam": "nesterov", "gradient_descent": "nesterov", "float32": "float64"}
        words |= {"grid": "monte_carlo", "monte_carlo": "grid", "auto": "cpu", "tanh": "relu"}
        words |= {"none": "layer", "layer": "neuron", "neuron": "none", "relu": "tanh"}
        yield from (words.get(value, f"{value}x"), "torch")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            for changed_item in other(item):
                yield [*value[:i], changed_item, *value[i + 1 :]]
    else:
        for key, item in value.items():
            for changed_item in other(item):
                yield value | {key: changed_item}


@pytest.mark.parametrize("job", EXAMPLES)
def test_the_digest_changes_with_every_field(job):
    spec = EXAMPLES[job]
    content, digests, fields = spec.model_dump(mode="json", exclude_none=True), set(), set()
    for name in content:
        if name in ("job", "ensembles", "entries"):
            continue
        for value in other(content[name]):
            try:
                changed_spec = checked(SPEC, content | {name: value}, "spec")
            except ConfigError:
                continue
            assert changed_spec.digest != spec.digest
            digests.add(changed_spec.digest)
            fields.add(name)
    assert fields >= set(content) - {"job", "ensembles", "entries"}
    assert len(digests) >= len(fields)


@pytest.mark.parametrize("job", EXAMPLES)
def test_a_spec_is_checked_when_it_is_read(job):
    content = json.loads(EXAMPLES[job].json_text)
    with pytest.raises(ConfigError, match="speed: unknown key; allowed are job, "):
        checked(SPEC, content | {"speed": 1}, "spec")
    required = [name for name in content if name in type(EXAMPLES[job]).model_fields][1:]
    for name in required:
        if type(EXAMPLES[job]).model_fields[name].is_required():
            without = {key: value for key, value in content.items() if key != name}
            with pytest.raises(ConfigError, match=f"{name}: Field required"):
                checked(SPEC, without, "spec")
        with pytest.raises(ConfigError, match=f"spec: .*{name}"):
            checked(SPEC, content | {name: {"nonsense": [None]}}, "spec")


def test_specs_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        EXAMPLES["train"].width = 3


@pytest.mark.parametrize("content", [None, [], "train", {}, {"job": "fly"}])
def test_what_is_no_spec_is_refused_in_one_line(content):
    with pytest.raises(ConfigError, match=r"^spec: top level: ") as raised:
        checked(SPEC, content, "spec")
    assert "\n" not in str(raised.value)


def test_files_of_problems_are_those_that_data_jobs_write():
    written = {f"{name}.parquet" for name in FULL if name.startswith("data/")}
    for spec in FULL.values():
        files = {source.file for source in spec.sources if source.file}
        assert files <= written
    assert all(Path(file).parent == Path("data") for file in written)
