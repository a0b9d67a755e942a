import pytest
from studies import read_config, study

from hrta.study.pipeline.configured import Row, configured, count_sources

CONFIGURATIONS = [(), ("smoke.yaml",), ("sweep.yaml",)]
# Fields that no entry with a source stands for: names, machines, and what is always so.
UNSOURCED = {
    *("experiment", "problem.name", "problems.name", "solution", "optimizer", "quadrature"),
    *("dtype", "device", "engine", "activation", "fixed_outer", "ensembles.experiment"),
    *("problem.seed", "problems.seed", "ensembles.method", "momentum"),
}


def specs_of(plan, results):
    """The specs of the jobs that make these files, as records have them."""
    made = {file: job for job in plan.values() for file in (job.table, job.second_table)}
    jobs = {made[file].name: made[file] for file in results}
    return {name: job.spec.model_dump(mode="json", exclude_none=True) for name, job in jobs.items()}


def shown(name, *files):
    """The rows of an item."""
    chosen = study(*files)
    specs = specs_of(chosen.plan, chosen.items[name].results)
    return configured(specs, read_config(*files))


def test_the_kernels_motion_is_not_configured_with_the_decay_of_training():
    motion, curves = shown("figure_motion"), shown("figure_sine1d")
    assert not [row for row in motion if "decay" in row.field or "decay" in row.path]
    (decay,) = [row for row in curves if row.field == "decay"]
    assert decay == Row(
        *("train", "decay", "0.1", "training.decay", "assumed", "final over initial learning rate"),
        read_config()["training"]["decay"]["note"],
    )
    rates = {row.path: row.value for row in motion if row.field == "learning_rate"}
    assert rates == {
        "optimizers.adam.learning_rates": "0.001",
        "optimizers.gradient_descent.learning_rates": "0.1",
    }


def fields(spec, above=""):
    """The names of all fields of a spec, in their simplest form."""
    for name, value in spec.items():
        if isinstance(value, dict):
            yield from fields(value, f"{above}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for each in value:
                yield from fields(each, f"{above}{name}.")
        else:
            yield f"{above}{name}"


@pytest.mark.parametrize("name", study().items)
def test_an_item_shows_the_fields_of_its_records_and_no_others(name):
    specs = specs_of(study().plan, study().items[name].results)
    rows = configured(specs, read_config())
    assert {row.job for row in rows} == {spec["job"] for spec in specs.values()}
    for kind in {row.job for row in rows}:
        own = [spec for spec in specs.values() if spec["job"] == kind]
        last = {row.field.split(".")[0] for row in rows if row.job == kind}
        assert last == {key for spec in own for key in spec} - {"job"}
        expected = {path.rsplit(".", 1)[-1] for spec in own for path in fields(spec)}
        ours = {row.field.rsplit(".", 1)[-1] for row in rows if row.job == kind}
        # A method of a race is one row.
        of_methods = {
            key
            for spec in own
            for entry in spec.get("entries", {}).values()
            for key in fields(entry["method"])
        }
        hidden = {"job", "file", "digest", "source"} | {key.split(".")[-1] for key in of_methods}
        assert ours - {"method"} <= expected
        assert expected - hidden <= ours


@pytest.mark.parametrize("files", CONFIGURATIONS)
def test_every_value_is_that_of_the_entry_beside_it(files):
    config = read_config(*files)
    plan = study(*files).plan
    specs = {
        name: job.spec.model_dump(mode="json", exclude_none=True) for name, job in plan.items()
    }
    rows = configured({n: s for n, s in specs.items() if s["job"] != "data"}, config)
    for row in rows:
        if not row.path:
            plain = ".".join(
                part for part in row.field.split(".") if part not in config["experiments"]
            )
            assert row.source == ""
            assert (
                plain in UNSOURCED
                or row.field.startswith(("variants.", "problems."))
                or row.field == "problem.test_points"
            ), row
            continue
        part = config
        for key in row.path.split("."):
            part = part[key]
        assert (row.source, row.unit) == (part["source"], part.get("unit", ""))
        if row.field.startswith("entries.grid"):
            key = row.field.rsplit(".", 1)[-1]
            assert row.value == ", ".join(f"{float(v):g}" for v in part["value"][key])
        elif row.field == "entries.method":
            ours = part.get("method", part).get("s", [])
            text = ", ".join(f"{float(each):g}" for each in ours)
            assert f"s: {text}" in row.value or not ours
        else:
            value = part.get("value", part.get("s"))
            values = value if isinstance(value, list) else [value]
            assert set(map(float, row.value.split(", "))) <= set(map(float, values))


def test_a_value_that_differs_from_the_configuration_has_no_source():
    spec = {"job": "train", "experiment": "sine1d", "decay": 0.5, "seeds": 100}
    rows = configured({"runs/sine1d/adam/width50": spec}, read_config())
    assert [(row.field, row.path) for row in rows] == [
        ("experiment", ""),
        ("decay", ""),
        ("seeds", "seeds"),
    ]


def test_jobs_of_a_kind_share_a_row_and_its_values_are_there_once():
    rows = {(row.field, row.path): row.value for row in shown("figure_width_all")}
    assert rows["width", "experiments.sine1d.widths"] == "50, 200, 1000"
    assert rows["problem.points", "experiments.sine3d.points"] == "125"
    assert rows["optimizer", ""] == "adam, gradient_descent"
    assert rows["methods.relaxation", "methods.relaxation"] == "1, 1.5"


def test_races_say_where_methods_and_grids_come_from():
    race = {row.path: row for row in shown("figure_race")}
    assert race["competitors.race.methods.nesterov"].source == "literature"
    assert race["competitors.race.methods.nesterov"].value.startswith("s: 1; ")
    assert race["competitors.race.grids.ridge"].field == "entries.grid.ridge"
    schedules = {row.path: row for row in shown("figure_schedules")}
    assert schedules["extensions.schedules.variants.plateau"].source == "ours"
    assert "extensions.schedules.optimizers.gradient_descent.grid" in schedules
    depth = {row.path for row in shown("figure_deep_networks")}
    assert {"extensions.depth.paths.relaxation_layerwise", "extensions.depth.grid"} <= depth


def test_sources_are_counted_over_the_whole_configuration():
    part = {"a": {"value": 1, "source": "ours"}, "b": {"c": {"s": [1], "source": "assumed"}}}
    assert count_sources(part | {"d": {"value": 2, "source": "ours"}}) == {"ours": 2, "assumed": 1}
