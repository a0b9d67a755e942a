import numpy as np
import pandas as pd
import pytest
from claim_examples import BOUND, CLOSED, FINITE, LOSSES, RACE, against, rates, runs, spectrum
from pydantic import TypeAdapter

from hrta.study.analysis.comparison import compare
from hrta.study.analysis.schema import CLAIM_CELL as CELL
from hrta.study.claims.judgement import log_ratios
from hrta.study.config.claims import Evidence

SIX = np.geomspace(0.1, 0.9, 6)


def ratios(evidence, judged, **changed):
    """Median ratio of each cell, by what names it."""
    model = TypeAdapter(Evidence).validate_python(judged | changed)
    table = log_ratios(evidence.reset_index(drop=True), model, "claims.1.judged_on.0")
    return 10 ** table.groupby(CELL, sort=False)["log_ratio"].median()


def cell(evidence, judged, **changed):
    """The only cell's name, as a mapping, and its ratio."""
    found = ratios(evidence, judged, **changed)
    assert len(found) == 1
    return dict(zip(CELL, found.index[0], strict=True)), found.iloc[0]


def test_losses_are_paired_by_seed():
    name, ratio = cell(against(SIX).sample(frac=1, random_state=1), LOSSES)
    assert name == {
        **{"problem": "e", "width": "5", "optimizer": "adam", "learning_rate": "0.1"},
        **{"network": "", "method": "new", "baseline": "relu", "measure": "loss"},
    }
    assert ratio == pytest.approx(10 ** np.median(np.log10(SIX)))


def test_they_are_those_of_compare():
    random = np.random.default_rng(0)
    evidence = against(random.lognormal(size=9))
    compared = compare(evidence, "relu").set_index("method")
    assert cell(evidence, LOSSES)[1] == pytest.approx(compared.loc["new", "ratio"])


def test_divergence_counts_and_two_diverged_runs_are_a_tie():
    inf = np.inf
    assert cell(runs(relu=[1.0, 1.0], new=[inf, inf]), LOSSES)[1] == inf
    assert cell(runs(relu=[inf, inf], new=[1.0, 1.0]), LOSSES)[1] == 0
    assert cell(runs(relu=[inf, inf], new=[inf, inf]), LOSSES)[1] == 1
    assert cell(runs(relu=[0.0, 0.0], new=[0.0, 0.0]), LOSSES)[1] == 1


@pytest.mark.parametrize(
    ("narrow", "wide", "expected"),
    [
        # ReLU's loss and the new method's: at a width both may diverge, or one at both widths.
        ([1.0, 0.1], [np.inf, np.inf], 10),
        ([np.inf, np.inf], [1.0, 0.1], 0.1),
        ([1.0, np.inf], [1.0, np.inf], 1),
        ([1.0, 0.1], [1.0, np.inf], np.inf),
    ],
)
def test_ties_are_where_two_runs_or_two_widths_are_compared(narrow, wide, expected):
    widths = [
        runs(relu=[relu], new=[new], width=width)
        for width, (relu, new) in ((5, narrow), (50, wide))
    ]
    assert cell(pd.concat(widths), LOSSES, contrast="width")[1] == pytest.approx(expected)


@pytest.mark.parametrize("number", [np.nan, -1.0])
def test_a_number_that_is_missing_is_no_tie(number):
    name = "a number is missing or negative: problem e, width 5, optimizer adam, "
    name += "learning_rate 0.1, method new, baseline relu, measure loss, seed 1"
    with pytest.raises(ValueError, match=f"^claims.1.judged_on.0: {name}$"):
        ratios(runs(relu=[1.0, 1.0], new=[0.5, number]), LOSSES)


def test_missing_eigenvalues_and_losses_are_named():
    with pytest.raises(ValueError, match="problem e, width infinite, method s = 1, "):
        ratios(spectrum([np.nan] * 2, 1.0), CLOSED, contrast="rounding")
    with pytest.raises(ValueError, match=r"width 5, method relu, .* stage 2, seed 1"):
        ratios(rates([0.5, np.nan], stage=2).assign(loss=[0.5, np.nan]), BOUND)


def test_a_run_without_its_baseline_is_named():
    table = pd.concat([against(SIX), runs(new=[0.5] * 7, experiment="other")])
    assert set(ratios(table, LOSSES).index.get_level_values("problem")) == {"e"}
    lost = table[(table["method"] != "relu") | (table["seed"] != 3)]
    name = "problem e, width 5, optimizer adam, learning_rate 0.1, method new, seed 3"
    with pytest.raises(
        ValueError, match=f"^claims.1.judged_on.0: no run of the baseline for .*{name}$"
    ):
        ratios(lost, LOSSES)
    table = pd.concat([against(SIX), against(SIX, width=50)])
    lost = table[(table["width"] == 50) | (table["seed"] != 3)]
    with pytest.raises(ValueError, match=r"problem e, width 50, .* method new, .* seed 3$"):
        ratios(lost, LOSSES, contrast="width")


@pytest.mark.parametrize(
    ("learning_rates", "expected"),
    [
        ("lowest", {"0.1": 0.5}),
        ("all", {"0.1": 0.5, "0.3": 4}),
        ([0.3], {"0.3": 4}),
        ("own_best", {"own best": 2}),  # 0.5 at its 0.1 against 0.25 at ReLU's 0.3
    ],
)
def test_learning_rates(learning_rates, expected):
    low = runs(relu=[1.0, 1.0], new=[0.5, 0.5])
    high = runs(relu=[0.25, 0.25], new=[1.0, 1.0], learning_rate=0.3)
    found = ratios(pd.concat([low, high]), LOSSES, learning_rates=learning_rates)
    names = found.index.get_level_values("learning_rate")
    assert dict(zip(names, found, strict=True)) == pytest.approx(expected)


def test_the_lowest_learning_rate_is_each_optimizers():
    table = pd.concat(
        [
            against(SIX, optimizer=name, learning_rate=rate)
            for name, rate in (("adam", 0.001), ("adam", 0.01), ("sgd", 0.1), ("sgd", 1.0))
        ]
    )
    found = ratios(table, LOSSES, learning_rates="lowest").index
    names = set(zip(*map(found.get_level_values, ("optimizer", "learning_rate")), strict=True))
    assert names == {("adam", "0.001"), ("sgd", "0.1")}


def test_widths_are_compared_from_the_smallest_to_the_largest():
    table = pd.concat(
        [against(np.full(4, factor), width=width) for width, factor in ((5, 0.5), (7, 9), (50, 2))]
    )
    name, ratio = cell(table, LOSSES, contrast="width")
    assert ratio == pytest.approx(4)
    assert (name["width"], name["baseline"]) == ("50", "width 5")


def test_errors_are_measures_too_and_the_first_decides_the_learning_rate():
    low = runs(relu=[1.0], new=[1.0]).assign(l2_error=[1.0, 1.0], h1_error=[4.0, 2.0])
    high = runs(relu=[1.0], new=[1.0], learning_rate=0.3)
    high = high.assign(l2_error=[2.0, 0.5], h1_error=[1.0, 8.0])
    judged = LOSSES | {"table": "poisson", "learning_rates": "own_best"}
    found = ratios(pd.concat([low, high]), judged, measures=["l2_error", "h1_error"])
    assert found.droplevel(CELL[:-1]).to_dict() == pytest.approx({"l2_error": 0.5, "h1_error": 2})


def test_networks_are_compared_with_the_plain_one_of_the_same_kind():
    names = {"tanh_2_plain": 1.0, "tanh_2_new": 0.5, "relu_2_plain": 8.0, "relu_2_new": 2.0}
    names |= {"relu_2_new_layerwise": 99.0}
    table = runs(**{name: [loss] * 3 for name, loss in names.items()}).assign(race="depth")
    elsewhere = table.assign(race="activations", loss=1.0)
    found = ratios(pd.concat([table, elsewhere]), RACE)
    networks = found.index.get_level_values("network")
    assert dict(zip(networks, found, strict=True)) == pytest.approx({"tanh_2": 0.5, "relu_2": 0.25})
    assert set(found.index.get_level_values("problem")) == {"f"}
    assert set(found.index.get_level_values("optimizer")) == {"adam"}


def test_what_is_within_rounding_is_a_tie():
    """n eps lambda_max is 4.4e-16 here."""
    table = pd.concat(
        [
            spectrum([lowest, 1.0], s)
            for s, lowest in ((0.5, 1e-3), (1, 0.0), (1.5, -1e-16), (1.8, -1e-3))
        ]
    )
    found = ratios(table, CLOSED, contrast="rounding")
    names = found.index.get_level_values("method")
    rounding = 2 * np.finfo(float).eps
    expected = {"s = 0.5": rounding / 1e-3, "s = 1": 1, "s = 1.5": 1, "s = 1.8": np.inf}
    assert dict(zip(names, found, strict=True)) == pytest.approx(expected)
    assert set(found.index.get_level_values("width")) == {"infinite"}


def test_ends_of_the_range_of_s_are_not_judged():
    table = pd.concat([spectrum([s, 9.0], s) for s in (0.0, 1.0, 2.0)])
    assert cell(table, CLOSED, contrast="rounding")[0]["method"] == "s = 1"


def test_growth_is_from_one_s_to_the_next():
    smallest = {0.5: 1.0, 1.0: 4.0, 1.5: 2.0, 1.8: 2.0}
    table = pd.concat([spectrum([value, 9.0], s) for s, value in smallest.items()])
    found = ratios(table, CLOSED, contrast="growth")
    steps = [
        (row[CELL.index("baseline")], row[CELL.index("method")], ratio)
        for row, ratio in found.items()
    ]
    assert steps == [
        ("s = 0.5", "s = 1", pytest.approx(0.25)),
        ("s = 1", "s = 1.5", pytest.approx(2)),
        ("s = 1.5", "s = 1.8", 1),
    ]
    assert cell(table, CLOSED, contrast="growth", s=[0.5, 1.8])[1] == pytest.approx(0.5)


def test_a_negative_eigenvalue_grows_from_0():
    table = pd.concat([spectrum([value, 9.0], s) for s, value in ((0.5, -1e-3), (1.0, 1.0))])
    assert cell(table, CLOSED, contrast="growth")[1] == 0


def test_finite_networks_are_paired_by_seed_and_may_have_no_smallest_eigenvalue():
    """Of a finite network there are the smallest, the first of 100, and the largest."""
    table = pd.concat(
        [
            spectrum({0: value * (width > 50), 99: 1.0}, s, width, seed)
            for width in (50, 1000)
            for seed, values in enumerate([(0.1, 0.2), (0.3, 0.6), (0.2, 0.8)])
            for s, value in zip((1.0, 1.5), values, strict=True)
        ]
    )
    found = ratios(table, FINITE, contrast="growth")
    widths = found.index.get_level_values("width")
    assert dict(zip(widths, found, strict=True)) == pytest.approx({"50": 1, "1000": 0.5})
    model = TypeAdapter(Evidence).validate_python(FINITE | {"contrast": "growth"})
    assert len(log_ratios(table, model, "")) == 6


def test_a_bound_is_touched_at_its_start_and_may_be_crossed_later():
    table = pd.concat([rates([1.0, 1.0], stage=1), rates([3.0, 3.0], stage=2)])
    narrow = rates([9.0, 9.0], width=4)
    limit = rates([np.nan]).assign(width=pd.NA)
    found = ratios(pd.concat([table, narrow, limit]), BOUND)
    names = found.index.get_level_values("measure")
    expected = {"loss in stage 1": 0.5, "loss in stage 2": 3}
    assert dict(zip(names, found, strict=True)) == pytest.approx(expected)
    reached = rates([np.nan, np.nan]).assign(loss=0.0, bound=0.0)
    assert cell(reached, BOUND)[1] == 1


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"problems": ["x"]}, "claims.1.judged_on.0.problems: 'x' given; the evidence has e"),
        ({"widths": [9]}, "claims.1.judged_on.0.widths: 9 given; the evidence has 5"),
        (
            {"optimizers": ["x"]},
            "judged_on.0.optimizers: 'x' given; the evidence has adam",
        ),
        ({"learning_rates": [2]}, "judged_on.0.learning_rates: 2.0 given; the evidence has 0.1"),
        ({"methods": ["x"]}, "judged_on.0.methods: 'x' given; the evidence has new, relu"),
        ({"baseline": "x"}, "judged_on.0.baseline: 'x' given; the evidence has new, relu"),
        ({"measures": ["x"]}, "claims.1.judged_on.0.measures: 'x' given; the evidence has loss"),
        ({"measures": ["x"], "learning_rates": "own_best"}, "judged_on.0.measures: 'x' given; the"),
        ({"contrast": "width"}, "claims.1.judged_on.0: the evidence has no runs to compare"),
    ],
)
def test_what_the_evidence_does_not_have_is_named(changed, line):
    with pytest.raises(ValueError, match="judged_on") as raised:
        ratios(against(SIX), LOSSES, **changed)
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"race": "x"}, "claims.1.judged_on.0.race: 'x' given; the evidence has depth"),
        ({"networks": ["x"]}, "claims.1.judged_on.0.networks: 'x' given; the evidence has tanh_2"),
        ({"methods": ["x"]}, "claims.1.judged_on.0.methods: 'x' given; the evidence has new, plai"),
        ({"baseline": "x"}, "claims.1.judged_on.0.baseline: 'x' given; no method ends in _x"),
    ],
)
def test_what_a_race_does_not_have_is_named(changed, line):
    table = runs(tanh_2_plain=[1.0], tanh_2_new=[0.5]).assign(race="depth")
    with pytest.raises(ValueError, match="judged_on") as raised:
        ratios(table, RACE, **changed)
    assert line in str(raised.value)
