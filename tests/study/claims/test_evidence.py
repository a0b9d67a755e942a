"""Results reduced to one row for each run: what is kept, and of which files."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from hrta.cli import evidence as cli_evidence
from hrta.problems.poisson import make_problem
from hrta.study.claims.evidence import collect
from hrta.study.claims.kinds import KINDS

RUN = {"experiment": "e", "problem": "p", "width": 5, "optimizer": "adam", "learning_rate": 0.1}
STEPS = {"step": range(5), "stage": [1, 1, 2, 2, 2], "s": [1, 1, 1.5, 1.5, 1.5]}


def trained(method="relaxation", seed=0, **columns):
    """The logged rows of one run of two stages."""
    losses = {"loss": [9.0, 4, 7, 3, 1], "test_loss": [9.0, 4, 7, 3, 2]}
    return pd.DataFrame(RUN | {"method": method, "seed": seed} | STEPS | losses | columns)


def raced(**columns):
    return (
        trained(**columns)
        .drop(columns=["experiment", "learning_rate"])
        .assign(evaluations=1.0, seconds=1.0, answer=True)
    )


def spectra():
    rows = [
        ("infinite", pd.NA, pd.NA, 1.0, 0, 0.5),
        ("infinite", pd.NA, pd.NA, 1.0, 1, 2.0),
        ("infinite", pd.NA, pd.NA, 1.0, 2, 3.0),
        *(("finite", 5, 0, 1.0, index, float(index)) for index in range(3)),
    ]
    table = pd.DataFrame(rows, columns=["kernel", "width", "seed", "s", "index", "eigenvalue"])
    table = table.assign(experiment="e", problem="p")
    return table.astype({"width": "Int64", "seed": "Int64"})


def rates():
    columns = {"loss": [8.0, 4, 6, 3, 1], "predicted": [8.0, 4, 6, 3, 10], "bound": 4.0}
    runs = [
        pd.DataFrame({"width": width, "seed": 0} | STEPS | columns | {"loss": loss})
        for width, loss in ((5, columns["loss"]), (None, np.nan))
    ]
    table = pd.concat(runs).astype({"width": "Int64"})
    return table.assign(
        experiment="e", problem="p", method="a", smallest_limit=1.0, smallest_end=0.5
    )


def motion():
    moved = {"kernel_change": 0.1, "inner_travel": 0.2, "outer_travel": [0.1, 0.2, 0.3, 0.4, 0.5]}
    return trained()[[*RUN, "method", "seed", *STEPS]].assign(**moved).drop(columns="learning_rate")


def accelerated():
    step = np.arange(60)
    each = [
        pd.DataFrame(
            {"optimizer": optimizer, "seed": 0, "step": step, "loss": np.exp(-rate * step)}
            | {"predicted": np.exp(-0.2 * step), "travel": step / 10.0}
        )
        for optimizer, rate in (("heavy_ball", 0.2), ("nesterov", 0.4))
    ]
    facts = {"smallest": 0.04, "largest": 1.0, "smallest_start": 0.02, "learning_rate": 1.0}
    table = pd.concat(each).assign(experiment="e", problem="p", width=5, momentum=0.6, **facts)
    return table.astype({"width": "Int64"})


def ritz():
    errors = {"exact_loss": 0.5, "energy": 0.0, "l2_error": [5.0, 4, 3, 2, 1], "h1_error": 1.0}
    return trained(**errors).assign(problem="cosines")


def tuned():
    rows = pd.DataFrame({"candidate": [0, 1], "learning_rate": [0.1, 0.2], "loss": [1.0, 2.0]})
    rest = {"momentum": np.nan, "ridge": np.nan, "history_size": np.nan, "recovery": np.nan}
    facts = {"problem": "p", "width": 5, "method": "a", "seed": 0, "test_loss": 1.0}
    return rows.assign(**rest, **facts, chosen=[True, False])


THEORY = {"experiment": ["e"], "problem": ["p"], "s": [1.0]}
SOLUTION = {"variant": "v", "step": 9, "seed": 0, "x1": [0.0, 1], "y": [3.0, 4], "prediction": 0.0}
ROUNDS = {"round": [0, 1], "loss": [2.0, 1], "fixed_pattern_loss": 0.5, "test_loss": 3.0}
EXAMPLES = {
    "final_losses": trained(),
    "switches": trained(),
    "races": raced(test_error=0.5),
    "tuning": tuned(),
    "poisson": ritz(),
    "spectra": spectra(),
    "theory_rates": rates(),
    "theory_motion": motion(),
    "theory_width": pd.DataFrame(
        THEORY
        | {"width": 5, "seed": 0, "kernel_error": 0.1}
        | {"smallest": 1.0, "smallest_limit": 2.0, "smallest_error": 0.5}
    ),
    "theory_samples": pd.DataFrame(THEORY | {"points": 7, "smallest": 1.0, "largest": 2.0}),
    "theory_jumps": pd.DataFrame(
        {"experiment": ["e"], "problem": "p", "method": "a"}
        | {"before": 1.0, "after": 1.5, "expected_loss": 0.2}
    ),
    "acceleration": accelerated(),
    "acceleration_steps": accelerated(),
    "slopes": pd.DataFrame({"experiment": "e", "problem": "p"} | SOLUTION),
    "slope_ends": pd.DataFrame(
        {"experiment": "e", "problem": "p", "variant": "v", "seed": 0}
        | {"step": [0, 9], "loss": [2.0, 1], "slope": [1.0, 1.5]}
    ),
    "anmin": pd.DataFrame({"problem": "p", "width": 5, "seed": 0} | ROUNDS),
    "data": pd.DataFrame({"set": ["train", "test"], "problem": "p", "x1": [1.0, 2], "y": [3.0, 4]}),
}


def collected(folder, kind, *tables, **options):
    files = [folder / f"part{i}.parquet" for i in range(len(tables))]
    for table, file in zip(tables, files, strict=True):
        table.to_parquet(file)
    return collect(kind, files, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_the_key_comes_first_and_there_is_a_rule_for_all_else(tmp_path, kind):
    table = collected(tmp_path, kind, EXAMPLES[kind])
    assert len(table) > 0
    assert tuple(table.columns[: len(KINDS[kind].key)]) == KINDS[kind].key
    chosen = {"chosen"} if kind == "tuning" else set()
    assert set(table) - set(KINDS[kind].key) - chosen == set(KINDS[kind].rules)
    assert not table.select_dtypes("category").shape[1]


def test_final_losses_are_those_of_the_statistics(tmp_path):
    runs = [trained(seed=1), trained(seed=0, loss=[9.0, 4, 7, np.inf, np.nan])]
    table = collected(tmp_path, "final_losses", *runs, fraction=0.25)
    assert table["seed"].tolist() == [0, 1]
    assert table["loss"].tolist() == [np.inf, 2.0]
    assert collected(tmp_path, "final_losses", runs[0])["loss"].tolist() == [1.0]


def test_a_switch_has_a_loss_before_and_one_after(tmp_path):
    runs = pd.concat([trained(), trained("relu", s=1.0)])
    table = collected(tmp_path, "switches", runs)
    assert table[["method", "stage", "before", "after"]].to_numpy().tolist() == [
        ["relaxation", 2, 4.0, 7.0]
    ]


def test_races_are_named_after_their_folders(tmp_path):
    for race in ("depth", "schedules"):
        (tmp_path / race).mkdir()
        raced().to_parquet(tmp_path / race / "all.parquet")
    table = collect("races", tmp_path.glob("*/all.parquet"))
    assert table["race"].tolist() == ["depth", "schedules"]
    assert table["loss"].tolist() == [1.0, 1.0]


def test_finite_spectra_keep_their_ends_alone(tmp_path):
    table = collected(tmp_path, "spectra", spectra())
    finite = table["kernel"] == "finite"
    assert table.loc[finite, "index"].tolist() == [0, 2]
    assert table.loc[~finite, "index"].tolist() == [0, 1, 2]


def test_rates_keep_the_ends_of_the_stages_and_the_worst_of_all(tmp_path):
    table = collected(tmp_path, "theory_rates", rates()).set_index(["width", "stage"])
    assert table.loc[(5, 1), ["first_loss", "loss", "excess"]].tolist() == [8, 4, 2]
    assert table.loc[(5, 2), ["first_loss", "loss", "excess"]].tolist() == [6, 1, 1.5]
    assert table.loc[(5, 2), "deviation"] == pytest.approx(1)
    infinite = table[table.index.get_level_values("width").isna()]
    assert infinite["predicted"].tolist() == [4, 10]
    assert infinite["excess"].isna().all()


def test_exponents_and_steps_are_those_of_single_runs(tmp_path):
    table = collected(tmp_path, "acceleration", accelerated()).set_index("optimizer")
    assert table["exponent"].to_dict() == pytest.approx({"heavy_ball": 1, "nesterov": 2})
    assert table["travel"].tolist() == [5.9, 5.9]
    steps = collected(tmp_path, "acceleration_steps", accelerated()).set_index("level")
    assert steps["optimizer"].unique().tolist() == ["nesterov"]
    assert steps["steps"].to_dict() == {1e-6: 35, 1e-4: 24, 1e-2: 12}


def test_errors_of_solutions_and_the_energy_gap(tmp_path):
    slopes = collected(tmp_path, "slopes", EXAMPLES["slopes"])
    assert slopes["error"].tolist() == [1.0]
    poisson = collected(tmp_path, "poisson", ritz())
    assert poisson["l2_error"].tolist() == [1.0]
    assert poisson["gap"].tolist() == pytest.approx([-make_problem("cosines").minimum])
    assert poisson["loss_gap"].tolist() == [0.5]


def test_points_are_numbered_set_by_set_and_named_after_their_file(tmp_path):
    table = collected(tmp_path, "data", EXAMPLES["data"])
    assert table["file"].unique().tolist() == ["part0"]
    train = table[table["set"] == "train"].set_index("coordinate")
    assert train["value"].to_dict() == {"x1": 1.0, "y": 3.0}
    assert table["point"].tolist() == [0] * 4


def test_what_is_there_twice_or_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match="evidence: anmin: two rows have the key "):
        collected(tmp_path, "anmin", EXAMPLES["anmin"], EXAMPLES["anmin"])
    with pytest.raises(ValueError, match="not a result of this kind"):
        collected(tmp_path, "final_losses", spectra())
    with pytest.raises(ValueError, match="unknown kind 'losses'; it must be one of final_losses, "):
        collect("losses", [])
    with pytest.raises(ValueError, match="evidence: no files for races"):
        collect("races", [])


def test_the_command_writes_what_the_package_collects(tmp_path):
    file, output = tmp_path / "runs.parquet", tmp_path / "final_losses.parquet"
    trained().to_parquet(file)
    command = ["final_losses", str(file), "--fraction", "0.5", "--output", str(output)]
    done = CliRunner().invoke(cli_evidence.app, command)
    assert done.exception is None, done.output
    expected = collect("final_losses", [file], 0.5)
    pd.testing.assert_frame_equal(pd.read_parquet(output), expected)
    done = CliRunner().invoke(cli_evidence.app, [*command[:-1], str(tmp_path / "out.csv")])
    assert "must be a file *.parquet" in str(done.exception)
