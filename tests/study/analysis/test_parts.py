import numpy as np
import pandas as pd
import pytest

from hrta.study.analysis.parts import count_gains, readable_counts, readable_grid, with_parts
from hrta.study.analysis.races import gains

PARTS = {
    "relu_plain": {"network": "ReLU", "path": "s = 1"},
    "relu_relaxed": {"network": "ReLU", "path": "s = 3/2"},
    "tanh_plain": {"network": "tanh", "path": "s = 1"},
    "tanh_relaxed": {"network": "tanh", "path": "s = 3/2"},
}
BASELINES = {"relu_relaxed": "relu_plain", "tanh_relaxed": "tanh_plain"}
PROBLEMS = {"q": "Problem Q", "p": "Problem P"}


def final(ratios):
    """Final losses of five seeds; ratios of the relaxed networks by problem and network."""
    seeds = np.arange(5)
    spread = 10.0 ** (-seeds)
    tables = []
    for (problem, network), ratio in ratios.items():
        for path, factor in (("plain", 1.0), ("relaxed", np.asarray(ratio))):
            columns = {"problem": problem, "width": 5, "method": f"{network}_{path}"}
            table = pd.DataFrame(columns | {"seed": seeds, "loss": factor * spread})
            tables.append(table)
    return pd.concat(tables, ignore_index=True)


@pytest.fixture
def gained():
    undecided = [0.1, 10, 0.2, 5, 1]
    ratios = {("p", "relu"): 0.5, ("q", "relu"): 0.125, ("p", "tanh"): 4, ("q", "tanh"): undecided}
    return with_parts(gains(final(ratios), BASELINES), PARTS)


def test_parts_are_categories_in_their_order(gained):
    assert list(gained["network"].cat.categories) == ["ReLU", "tanh"]
    assert list(gained["path"].cat.categories) == ["s = 1", "s = 3/2"]
    assert set(gained["path"]) == {"s = 3/2"}
    assert len(with_parts(gained, {"tanh_relaxed": PARTS["tanh_relaxed"]})) == 2


def test_parts_must_be_those_of_all():
    with pytest.raises(ValueError, match="all methods must have the same parts"):
        with_parts(pd.DataFrame({"method": []}), {"a": {"network": "x"}, "b": {"path": "y"}})


def test_what_is_better_worse_and_undecided_is_counted(gained):
    counts = count_gains(gained, ["network"])
    table = counts.set_index("network")
    assert table.loc["ReLU", ["better", "worse", "undecided"]].tolist() == [2, 0, 0]
    assert table.loc["tanh", ["better", "worse", "undecided"]].tolist() == [0, 1, 1]
    assert table["ratio"].tolist() == pytest.approx([0.25, 2.0])
    assert readable_counts(counts)["mean ratio"].tolist() == ["0.25", "2"]


def test_what_diverged_counts_and_leaves_the_mean_finite():
    ratios = {("p", "relu"): np.inf, ("q", "relu"): 1e-8}
    gained = with_parts(gains(final(ratios), {"relu_relaxed": "relu_plain"}), PARTS)
    table = count_gains(gained, ["path"])
    assert table[["better", "worse"]].to_numpy().tolist() == [[1, 1]]
    assert table["ratio"].item() == pytest.approx(1.0)


def test_the_grid_has_a_cell_for_each_combination(gained):
    table = readable_grid(gained, ["network"], ["problem"], PROBLEMS)
    assert list(table) == ["network", "Problem Q", "Problem P"]
    assert table["Problem P"].tolist() == ["0.5 [0.5, 0.5] ▼", "4 [4, 4] ▲"]
    assert table["Problem Q"].tolist()[0] == "0.125 [0.125, 0.125] ▼"
    assert table["Problem Q"].tolist()[1].startswith("1 [0.1, 10]")
    one = gained[(gained["network"] == "ReLU") | (gained["problem"] == "p")]
    both = readable_grid(one, ["width", "network"], ["path", "problem"], PROBLEMS)
    assert list(both) == ["width", "network", "s = 3/2, Problem Q", "s = 3/2, Problem P"]
    assert both["s = 3/2, Problem Q"].tolist() == ["0.125 [0.125, 0.125] ▼", "–"]
