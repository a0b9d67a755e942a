"""The benchmark of the activations, on a handful of numbers."""

import pandas as pd

from benchmarks import activations


def test_a_row_for_each_kind_of_s(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(activations, "BASES", {"relu": None, "gelu": activations.BASES["gelu"]})
    monkeypatch.setattr(activations, "PRE_ACTIVATIONS", (3, 7))
    monkeypatch.setattr(activations, "COMPILED", (False,))
    monkeypatch.setattr(activations, "SECONDS", 0)
    activations.main(tmp_path, threads=1)
    table = pd.read_csv(tmp_path / "activations.csv")
    assert table.groupby(["base", "contender"]).size().eq(2).all()
    assert set(table["contender"]) == {"number", "tensor", "module"}
    assert (table[["us", "ratio"]] > 0).all(axis=None)
    assert "| gelu" in capsys.readouterr().out
