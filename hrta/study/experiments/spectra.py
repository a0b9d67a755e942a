"""Eigenvalues of tangent-kernel Gram matrices."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from hrta.ntk.eigenvalues import spectrum
from hrta.ntk.finite_width import FiniteKernel, finite_kernel
from hrta.ntk.matrices import gram
from hrta.study.analysis.schema import SPECTRA
from hrta.study.config.theory import SpectraSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem


def run(spec: SpectraSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """All eigenvalues of the Gram matrix, at infinite width and of networks at initialisation.

    The networks have the initial weights of training with the same seeds.

    Returns:
        Rows of `SPECTRA`: kernel is "infinite" or "finite", width and seed are missing at infinite
        width, index counts from 0 in ascending order of the eigenvalues.
    """
    problem = load_problem(spec.problem)
    tables = [_rows(spectrum(gram(problem.x, s)), kernel="infinite", s=s) for s in spec.s]
    for done, width in enumerate(spec.widths, start=1):
        for seed, kernel in enumerate(_initial(problem.x, width, spec.seeds)):
            for s in spec.s:
                eigenvalues = spectrum(kernel.gram(s))
                tables.append(_rows(eigenvalues, kernel="finite", width=width, seed=seed, s=s))
        progress(done, len(spec.widths))
    table = pd.concat(tables, ignore_index=True).reindex(columns=SPECTRA.columns)
    table = table.assign(experiment=spec.experiment, problem=problem.name)
    return Outcome(table.astype({"width": "Int64", "seed": "Int64"}), "float64")


def _initial(x: np.ndarray, width: int, seeds: int) -> Iterator[FiniteKernel]:
    """The kernel of each network."""
    import torch

    from hrta.networks.two_layer import TwoLayer

    networks = TwoLayer.initialise(range(seeds), x.shape[1], width, dtype=torch.float64)
    for inner, outer in zip(networks.inner, networks.outer, strict=True):
        yield finite_kernel(x, inner, outer)


def _rows(eigenvalues: np.ndarray, **cell: object) -> pd.DataFrame:
    return pd.DataFrame(cell | {"index": range(len(eigenvalues)), "eigenvalue": eigenvalues})
