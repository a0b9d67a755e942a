"""Tables of eigenvalues and of jumps hold what the package computes."""

import numpy as np
import torch
from job_examples import stored

from hrta import TwoLayer, ntk
from hrta.ntk.eigenvalues import spectrum
from hrta.ntk.linearised import expected_jump
from hrta.problems.targets import make_problem
from hrta.study.config.theory import JumpsSpec, SpectraSpec
from hrta.study.experiments import jumps, spectra

PROBLEM = make_problem("sine1d", 6, 1)


def test_tables_hold_every_eigenvalue():
    seen = []
    spec = SpectraSpec(
        experiment="mine", problem=stored(PROBLEM), s=[0.5, 1.5], widths=[9], seeds=2
    )
    table = spectra.run(spec, lambda done, total: seen.append((done, total))).table
    assert seen == [(1, 1)]
    columns = "experiment problem kernel width seed s index eigenvalue"
    assert list(table.columns) == columns.split()
    assert len(table) == 6 * 2 * (1 + 2)
    infinite = table[(table["kernel"] == "infinite") & (table["s"] == 1.5)]
    assert infinite["index"].tolist() == list(range(6))
    assert infinite[["width", "seed"]].isna().all(axis=None)
    np.testing.assert_array_equal(infinite["eigenvalue"], spectrum(ntk.gram(PROBLEM.x, 1.5)))
    network = TwoLayer.initialise([1], 1, 9, dtype=torch.float64)
    matrix = ntk.empirical_gram(PROBLEM.x, network.inner[0], network.outer[0], 0.5)
    finite = table[(table["width"] == 9) & (table["seed"] == 1) & (table["s"] == 0.5)]
    np.testing.assert_array_equal(finite["eigenvalue"], spectrum(matrix))


def test_there_may_be_no_finite_width():
    spec = SpectraSpec(experiment="mine", problem=stored(PROBLEM), s=[1], widths=[], seeds=2)
    assert set(spectra.run(spec).table["kernel"]) == {"infinite"}


def test_every_switch_has_its_jump():
    methods = {"relu": [1, 1], "three": [0.5, 1, 1.5]}
    table = jumps.run(JumpsSpec(experiment="mine", problem=stored(PROBLEM), methods=methods)).table
    assert table["method"].tolist() == ["relu", "three", "three"]
    assert table[["before", "after"]].to_numpy().tolist() == [[1, 1], [0.5, 1], [1, 1.5]]
    expected = [0, expected_jump(PROBLEM, 0.5, 1), expected_jump(PROBLEM, 1, 1.5)]
    assert table["expected_loss"].tolist() == expected
