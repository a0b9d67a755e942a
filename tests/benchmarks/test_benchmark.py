"""Cases, timings, table and figures; nothing here depends on how long anything takes."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks import limit, report, timing, training
from benchmarks.cases import Case, growth, side_by_side
from benchmarks.peers import Contender


class Clockwork(Contender):
    """Takes so many seconds for a step of all its networks."""

    def __init__(self, engine, variant, cost, networks=1, chunk=1):
        self.engine, self.variant, self.cost = engine, variant, cost
        self.networks, self.threads, self.chunk = networks, 1, chunk
        self.advanced = []

    def advance(self, steps):
        self.advanced.append(steps)


@pytest.fixture
def clock(monkeypatch):
    def seconds(contender, steps):
        contender.advance(steps)
        return contender.cost * steps

    monkeypatch.setattr(timing, "_seconds", seconds)


def test_time_is_that_of_one_network_and_step(clock):
    contender = Clockwork("JAX", "vmap", cost=4e-4, networks=20, chunk=7)
    rows = timing.time_case(Case(1, 50), [contender], "cpu", repeats=3, target=0.1)
    assert [row["us"] for row in rows] == pytest.approx([20.0] * 3)
    assert all(steps % 7 == 0 for steps in contender.advanced)
    assert all(0.08 < row["seconds"] < 0.12 for row in rows)


def test_hopeless_variants_are_timed_once(clock):
    contenders = [
        Clockwork("naive", "1 thread", 1e-3),
        Clockwork("naive", "2 threads", 1.9e-3),
        Clockwork("JAX", "scan", 5e-5),
        Clockwork("JAX", "vmap", 2e-4),
    ]
    rows = pd.DataFrame(timing.time_case(Case(1, 50), contenders, "cpu", 3, 0.1))
    counts = rows.groupby(["engine", "variant"]).size()
    assert counts[("JAX", "vmap")] == 1
    assert (counts.drop(("JAX", "vmap")) == 3).all()
    assert rows["engine"].tolist()[:3] == ["naive", "naive", "JAX"]


def made_up(**us):
    """A raw table of one case, with three timings of each variant: engine__variant=median."""
    rows = [
        {"engine": name.split("__")[0], "variant": name.split("__")[1], "us": value * factor}
        for name, value in us.items()
        for factor in (1, 0.5, 30)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def raw():
    first = made_up(naive__a=300.0, naive__b=310.0, JAX__scan=40.0, JAX__vmap=30.0, numba__=5.0)
    first = first.assign(d=1, m=50, n=100, R=20)
    second = made_up(naive__a=200.0, torch__=50.0, numba__=20.0).assign(d=3, m=50, n=100, R=20)
    wider = second.assign(m=200)
    not_compared = made_up(numba__=1.0).assign(d=1, m=200, n=100, R=20)
    return pd.concat([first, second, wider, first.assign(m=200, R=20), not_compared.assign(m=70)])


def test_ratios(raw):
    # A billion multiply-adds a second: a thousand of them each microsecond.
    table = report.comparison(raw, rate=1e9).set_index(["d", "m"])
    assert list(table.index) == [(1, 50), (1, 200), (3, 50), (3, 200)]
    row = table.loc[(1, 50)]
    assert (row["naive"], row["JAX"], row["JAX variant"], row["ours"]) == (300, 30, "vmap", 5)
    assert row["naive / ours"] == pytest.approx(60)
    assert row["JAX / ours"] == pytest.approx(6)
    assert row["limit"] == pytest.approx(7 * 100 * 50 / 1000)
    assert row["ours / limit"] == pytest.approx(5 / 35)
    assert np.isnan(row["torch BLAS"])
    row = table.loc[(3, 50)]
    assert (row["torch"], row["naive / ours"]) == (50, 10)
    assert np.isnan(row["JAX / ours"])


def test_table_in_words(raw):
    text = report.readable(report.comparison(raw, rate=1e9)).astype(str)
    assert text["JAX [µs]"].tolist() == ["30 (vmap)"] * 2 + ["–"] * 2
    assert text["ours / limit"].tolist()[0] == "0.143"
    wide = report.comparison(raw.assign(us=raw["us"] * 1e3), rate=1e9)
    assert report.readable(wide)["naive [µs]"].tolist()[0] == "300,000"


def test_limit_counts_the_arithmetic():
    assert limit.operations(d=1, m=50, n=100) == 7 * 50 * 100
    assert limit.operations(d=10, m=1, n=1) == 25


def test_the_kernel_of_the_limit_does_all_its_multiply_adds():
    chains = limit.CHAINS[0]
    starts = np.add.outer(np.arange(chains), np.arange(limit.LANES))
    assert limit._kernel(chains)(2.0, 1.0, 3) == (8 * starts + 7).sum()


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("quick", [False, True])
def test_no_case_is_timed_twice(device, quick):
    cases = side_by_side(device, quick) + growth(device, quick)
    assert len(set(cases)) == len(cases)


def test_cases_start_from_the_same_weights_in_every_precision():
    single, double = (Case(2, 9, 5, 3).make(dtype=kind) for kind in (torch.float32, torch.float64))
    assert torch.equal(single.networks.inner, double.networks.inner.float())
    assert single.x.shape == (5, 3)
    expected = torch.sin(2 * torch.pi * double.x[:, :2].sum(1))
    torch.testing.assert_close(double.y, expected)


def test_the_command_writes_everything(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(
        training, "side_by_side", lambda *_: [Case(1, 8, 100, 2), Case(1, 9, 100, 2)]
    )
    monkeypatch.setattr(training, "growth", lambda *_: [Case(3, 8, 100, 2)])
    monkeypatch.setattr(training, "_rate", lambda *_: 1e9)
    folder = tmp_path / "a folder"
    run(monkeypatch, "--quick", "--output", str(folder), "--jax-python", str(tmp_path / "none"))
    out, err = capsys.readouterr()
    assert "JAX is left out: there is no" in err
    assert "naive / ours" in out
    written = {file.name for file in folder.iterdir()}
    stems = ("benchmark", "benchmark_growth")
    figures = {f"{stem}.{suffix}" for stem in stems for suffix in ("pdf", "png")}
    assert written == {"benchmark.parquet", "benchmark.json", "benchmark.md"} | figures
    assert out.strip() in (folder / "benchmark.md").read_text()
    record = json.loads((folder / "benchmark.json").read_text())
    assert record["multiply_adds_per_second"] == 1e9
    assert record["versions"]["jax"] is None
    raw = pd.read_parquet(folder / "benchmark.parquet")
    assert {"naive", "torch BLAS", "torch", "numba"} == set(raw["engine"])
    assert (raw["us"] > 0).all()


def test_without_a_gpu_cuda_is_a_mistake_of_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    run(monkeypatch, "--device", "cuda", "--output", str(tmp_path / "none"), code=1)
    assert (
        capsys.readouterr().err
        == "benchmark: --device cuda: torch must find a CUDA GPU; it finds none\n"
    )
    assert not (tmp_path / "none").exists()


def run(monkeypatch, *arguments, code=0):
    monkeypatch.setattr(sys, "argv", ["benchmark", *arguments])
    with pytest.raises(SystemExit) as end:
        training.main()
    assert (end.value.code or 0) == code
