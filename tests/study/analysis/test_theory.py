"""The tables of the theory, and what they are reduced to."""

import numpy as np
import pandas as pd
import pytest
import torch

from hrta import Schedule, Stage, TwoLayer, ntk, train
from hrta.ntk.eigenvalues import spectrum
from hrta.ntk.linearised import bound
from hrta.problems.targets import make_problem
from hrta.study.analysis import theory as theory_statistics
from hrta.study.config.problem_sources import SampledProblem
from hrta.study.config.theory import MotionSpec, RatesSpec, SampleNumberSpec, WidthLimitSpec
from hrta.study.experiments import kernel_motion, rates, sample_number, width_limit

PROBLEM = make_problem("sine1d", 12, 1)
MINE = {"experiment": "mine", "problem": SampledProblem(name="sine1d", points=12)}
METHODS = {"relu": [1, 1], "relaxation": [1, 1.5]}


def test_width_limit_compares_with_infinite_width():
    spec = WidthLimitSpec(**MINE, s=[1, 1.5], widths=[20, 2000], seeds=2)
    table = width_limit.run(spec).table
    assert len(table) == 8
    row = table[(table["s"] == 1.5) & (table["width"] == 20) & (table["seed"] == 1)].iloc[0]
    network = TwoLayer.initialise([1], 1, 20, dtype=torch.float64)
    finite = ntk.empirical_gram(PROBLEM.x, network.inner[0], network.outer[0], 1.5)
    infinite = ntk.gram(PROBLEM.x, 1.5)
    expected = np.sqrt(((finite - infinite) ** 2).sum() / (infinite**2).sum())
    assert row["kernel_error"] == pytest.approx(expected, rel=1e-12)
    assert row["smallest"] == spectrum(finite)[0]
    by_width = table.groupby("width")["kernel_error"].median()
    assert by_width[2000] < by_width[20] / 3


def test_sample_number_gives_the_extremes():
    problems = [make_problem("sine1d", n, 1) for n in (10, 600)]
    sources = [SampledProblem(name="sine1d", points=n) for n in (10, 600)]
    spec = SampleNumberSpec(experiment="mine", problems=sources, s=[0.5, 1])
    table = sample_number.run(spec).table
    for row in table.itertuples():
        problem = problems[row.points == 600]
        expected = spectrum(ntk.gram(problem.x, row.s))
        assert row.smallest == pytest.approx(expected[0], rel=1e-5)
        assert row.largest == pytest.approx(expected[-1], rel=1e-12)


def test_motion_is_measured_from_the_start_under_the_same_s(monkeypatch):
    monkeypatch.setattr(kernel_motion, "OBSERVATIONS", 3)
    seen = []
    spec = MotionSpec(
        **MINE,
        methods=METHODS,
        widths=[30],
        seeds=2,
        stage_steps=20,
        optimizer="gradient_descent",
        learning_rate=0.1,
    )
    table = kernel_motion.run(spec, lambda done, total: seen.append((done, total))).table
    assert seen == [(1, 1)]
    start = TwoLayer.initialise([1], 1, 30)
    schedule = Schedule([Stage(1, 20)])
    end = train(PROBLEM, start, schedule, "gradient_descent", 0.1).networks
    at_switch = table[(table["step"] == 20) & (table["seed"] == 1)]
    assert at_switch[at_switch["method"] == "relaxation"]["s"].tolist() == [1, 1.5]
    for row in at_switch.itertuples():
        before, after = (
            ntk.empirical_gram(PROBLEM.x, each.inner[0], each.outer[0], row.s)
            for each in (start, end)
        )
        change = np.linalg.norm(after - before) / np.linalg.norm(before)
        assert row.kernel_change == pytest.approx(change, rel=1e-9)
        travel = np.linalg.norm((end.inner - start.inner)[0].numpy(), axis=0).max()
        assert row.inner_travel == pytest.approx(travel, rel=1e-5)
        outer = (end.outer - start.outer).abs().max()
        assert row.outer_travel == pytest.approx(float(outer), rel=1e-5)


def test_rates_hold_measured_predicted_and_bound():
    spec = RatesSpec(
        **MINE,
        methods=METHODS,
        widths=[40],
        seeds=2,
        stage_steps=50,
        learning_rate=0.2,
        log_every=10,
    )
    table = rates.run(spec).table
    assert table["width"].isna().sum() == len(table) / 2
    run = table[(table["width"] == 40) & (table["method"] == "relaxation") & (table["seed"] == 1)]
    networks = TwoLayer.initialise([1], 1, 40, dtype=torch.float64)
    schedule = Schedule.constant_length([1, 1.5], 50)
    training = train(PROBLEM, networks, schedule, "gradient_descent", 0.2, log_every=10)
    np.testing.assert_array_equal(run["loss"], training.history["loss"])
    assert run["predicted"].iloc[0] == pytest.approx(run["loss"].iloc[0], rel=1e-12)
    second = run[run["stage"] == 2]
    smallest = spectrum(ntk.gram(PROBLEM.x, 1.5))[0]
    expected = bound(second["loss"].iloc[0], smallest, 12, 0.2 * (second["step"] - 50))
    np.testing.assert_allclose(second["bound"], expected, rtol=1e-9)
    assert (second["smallest_limit"] == smallest).all()
    trained = training.networks
    matrix = ntk.empirical_gram(PROBLEM.x, trained.inner[0], trained.outer[0], 1.5)
    assert second["smallest_end"].tolist() == [spectrum(matrix)[0]] * len(second)
    ends = theory_statistics.losses_at_infinite_width(table).set_index("method")["predicted"]
    drawn = table[table["width"].isna() & (table["step"] == 100) & (table["method"] == "relu")]
    assert ends["relu"] == drawn["predicted"].median()
    summary = theory_statistics.crossings_of_bound(table)
    assert summary["runs"].tolist() == [2] * 4
    excess = (run["loss"] / run["bound"])[run["stage"] == 1].max()
    assert summary["excess"].max() >= excess


def test_a_power_law_is_found_with_its_interval():
    generator = np.random.default_rng(0)
    x = np.repeat(np.geomspace(1, 1000, 7), 20)
    y = 3 * x**-0.5 * np.exp(0.2 * generator.standard_normal(len(x)))
    exponent, low, high = theory_statistics.power_law(x, y)
    assert low < -0.5 < high
    assert low < exponent < high
    assert high - low < 0.1
    exact = theory_statistics.power_law(x, 3 * x**2)
    assert exact == pytest.approx((2, 2, 2), rel=1e-9)
    with pytest.raises(ValueError, match="three positive values"):
        theory_statistics.power_law([1, 2, 3], [0, 0, 1])


def test_exponents_of_cells_leave_out_what_is_zero():
    table = pd.DataFrame({"cell": ["a"] * 4 + ["b"] * 4, "x": [1, 2, 4, 8] * 2})
    table["y"] = [1, 2, 4, 8, 0, 0, 0, 1]
    fits = theory_statistics.exponents(table, "x", ["y"], ["cell"]).set_index("cell")
    assert fits.loc["a", "exponent"] == pytest.approx(1)
    assert np.isnan(fits.loc["b", "exponent"])
    assert fits["used"].tolist() == [4, 1]


def test_conditioning_tells_gain_from_honest_gain():
    rows = [
        ("mine", "infinite", s, smallest)
        for s, smallest in ((1, 2.0), (1, 8.0), (2, 9.0), (2, 16.0))
    ]
    table = theory_statistics.conditioning(
        pd.DataFrame(rows, columns=["experiment", "kernel", "s", "eigenvalue"])
    ).set_index("s")
    assert table.loc[2, "gain"] == 4.5
    assert table.loc[2, "honest_gain"] == 2.25
    assert table.loc[2, "condition"] == pytest.approx(16 / 9)
    assert table.loc[2, "digits"] == pytest.approx(-np.log10(4.5 / 4 - 1))


def test_jumps_stand_beside_what_is_expected():
    rows = [
        ("mine", "adam", method, 8, seed, stage, step, 10.0 * stage + step + seed)
        for method in ("relu", "relaxation")
        for seed in (0, 1, 2)
        for stage, step in ((1, 0), (1, 5), (2, 6), (2, 9))
    ]
    names = ["experiment", "optimizer", "method", "width", "seed", "stage", "step", "loss"]
    jumps = pd.DataFrame(
        {
            "experiment": "mine",
            "method": ["relu", "relaxation"],
            "before": [1, 1],
            "after": [1, 1.5],
            "expected_loss": [0.0, 0.25],
        }
    )
    table = theory_statistics.jumps_at_switches(pd.DataFrame(rows, columns=names), jumps)
    assert table["method"].tolist() == ["relaxation"]
    assert table["loss_before"].tolist() == [16]
    assert table["loss_after"].tolist() == [27]
    assert table["expected_loss"].tolist() == [0.25]
