import json

import papermill
import pytest
from studies import ROOT, read_config, study

from hrta.study.config.mistakes import ConfigError
from hrta.study.pipeline.item import SECTIONS
from hrta.study.pipeline.report_parts import fill_in
from hrta.study.pipeline.study import read_study

ITEMS = study("sweep.yaml").items


def with_experiment(name):
    """The study with another experiment, like sine1d, under this name."""
    config = read_config() | {"device": "cpu"}
    config["experiments"] = {**config["experiments"], name: config["experiments"]["sine1d"]}
    return read_study(config, submitted=False)


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
def test_an_item_gives_its_notebook_every_path_and_no_unknown_parameter(item):
    known = papermill.inspect_notebook(str(ROOT / f"notebooks/{item.notebook}.ipynb"))
    given = {*item.reads, *item.writes, *item.parameters}
    assert given <= set(known)
    paths = {name for name, each in known.items() if "../" in each["default"]}
    assert paths <= {*item.reads, *item.writes}
    json.dumps(dict(item.parameters))


def test_every_notebook_makes_something():
    made = {item.notebook for item in ITEMS.values()}
    assert made == {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}


CAPTIONS = ROOT / "workflow/report/captions"


def test_every_caption_is_there():
    captions = {path.name for path in CAPTIONS.iterdir()}
    assert captions == {each.caption for item in ITEMS.values() for each in item.shown}


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
def test_captions_ask_for_what_the_configuration_has(item):
    for each in item.shown:
        text = fill_in(CAPTIONS / each.caption, read_config("sweep.yaml"), item.name)
        assert len(text) > 100
        assert "{" not in text


def test_items_read_what_jobs_make_and_write_files_of_their_own():
    plan = study("sweep.yaml").plan
    made = {file for job in plan.values() for file in (job.table, job.second_table)}
    for item in ITEMS.values():
        assert set(item.results) <= made
    files = [file for item in ITEMS.values() for file in (*item.files, *item.executed)]
    assert len(set(files)) == len(files)


def test_every_result_is_shown():
    shown = {file for item in ITEMS.values() for file in item.results}
    plan = study("sweep.yaml").plan
    missing = [job.name for job in plan.values() if job.table not in shown]
    assert all(name.startswith("data/") for name in missing)


def test_titles_tell_items_apart_and_sections_hold_them():
    titles = [(item.section, item.title) for item in ITEMS.values()]
    assert len(set(titles)) == len(titles)
    assert list(dict.fromkeys(section for section, _ in titles)) == list(SECTIONS)
    assert ITEMS["figure_rates_sine3d"].title == (
        "Measured loss, linearised prediction, bound: sin(2π(x₁+x₂+x₃))"
    )
    assert ITEMS["figure_poisson"].section == "The paper"
    assert ITEMS["figure_poisson3d"].section == "Extensions"


def test_the_targets_have_their_items():
    targets = study().targets
    assert set(targets) == {"paper", "theory", "siblings", "beyond"}
    assert set(study("sweep.yaml").targets) == {*targets, "sweep"}
    assert not [file for file in targets["paper"] if "jump1d" in file or "_all" in file]
    assert {"figures/sine1d.pdf", "figures/eigenvalues.png", "tables/poisson.md"} < set(
        targets["paper"]
    )
    assert {"figures/eigenvalues.png", "tables/rates_sine3d.csv"} < set(targets["theory"])
    assert {"figures/race_wine.pdf", "tables/tuned.csv"} < set(targets["siblings"])
    assert "tables/deep_networks_losses.csv" in targets["beyond"]


def test_a_part_of_an_item_has_its_label():
    shown = {each.stem: each.of for each in ITEMS["figure_race_curves"].shown}
    assert shown["figures/race_breast_cancer"] == "breast cancer"
    assert set(shown) == {
        f"{folder}/race_{name}"
        for folder in ("figures", "tables")
        for name in study().settings.competitors.race.problems
    }


@pytest.mark.parametrize(
    "name", ["width", "poisson", "learning_rates_sine1d", "sine1d_test", "rates_sine3d", "motion"]
)
def test_an_experiment_may_not_have_the_name_of_another_figure(name):
    with pytest.raises(ConfigError, match=rf"^config: experiments\.{name}: a figure has this name"):
        with_experiment(name)


def test_a_new_experiment_is_shown_by_itself_and_with_all():
    items = with_experiment("mine").items
    assert {"figure_mine", "figure_learning_rates_mine"} <= set(items)
    assert items["figure_width_all"].parameters["experiments"]["mine"] == "sin(2πx)"
    assert "mine" in items["figure_eigenvalues"].parameters["experiments"]
