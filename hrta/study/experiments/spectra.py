"""Eigenvalues of tangent-kernel Gram matrices, and tables of them."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from hrta.ntk.eigenvalues import spectrum
from hrta.ntk.matrices import empirical_gram, gram
from hrta.problems.problem import Problem


def infinite_width_spectra(x: np.ndarray, s_values: Iterable[float]) -> pd.DataFrame:
    """All eigenvalues of the infinite-width Gram matrix for each s.

    Args:
        x: points, [n, d], without the bias column.
        s_values: homotopy parameters in [0, 2].

    Returns:
        Tidy table of s, index (from 0, ascending), eigenvalue.
    """
    return _table({(s,): spectrum(gram(x, s)) for s in s_values}, ["s"])


def initial_spectra(
    x: np.ndarray, width: int, seeds: Sequence[int], s_values: Iterable[float]
) -> pd.DataFrame:
    """All eigenvalues of the Gram matrix of finite networks as they are initialised.

    Args:
        x: points, [n, d], without the bias column.
        width: m.
        seeds: of the networks; the same as those of training give the same networks.
        s_values: homotopy parameters in [0, 2].

    Returns:
        Tidy table of seed, s, index (from 0, ascending), eigenvalue.
    """
    import torch

    from hrta.networks.two_layer import TwoLayer

    networks = TwoLayer.initialise(seeds, np.shape(x)[1], width, dtype=torch.float64)
    spectra = {}
    for seed, inner, outer in zip(seeds, networks.inner, networks.outer, strict=True):
        for s in s_values:
            matrix = empirical_gram(x, inner.numpy(), outer.numpy(), s)
            spectra[seed, s] = spectrum(matrix)
    return _table(spectra, ["seed", "s"])


def spectra_table(
    problem: Problem,
    experiment: str,
    s_values: Sequence[float],
    widths: Sequence[int],
    seeds: Sequence[int],
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """The spectra of a problem at infinite width and, at initialisation, at finite ones.

    Args:
        problem: whose training points are taken.
        experiment: what results call it.
        s_values: homotopy parameters in [0, 2].
        widths: of the finite networks, may be none.
        seeds: of the finite networks.
        progress: called with the number of widths done and their number.

    Returns:
        Tidy table of experiment, problem, kernel ("infinite" or "finite"), width, seed (both
        missing at infinite width), s, index (from 0, ascending), eigenvalue.
    """
    tables = [infinite_width_spectra(problem.x, s_values).assign(kernel="infinite")]
    for done, width in enumerate(widths, start=1):
        table = initial_spectra(problem.x, width, seeds, s_values)
        tables.append(table.assign(kernel="finite", width=width))
        if progress is not None:
            progress(done, len(widths))
    columns = ["experiment", "problem", "kernel", "width", "seed", "s", "index", "eigenvalue"]
    table = pd.concat(tables, ignore_index=True).reindex(columns=columns)
    return table.assign(experiment=experiment, problem=problem.name).astype(
        {"width": "Int64", "seed": "Int64"}
    )


def _table(spectra: dict[tuple, np.ndarray], names: list[str]) -> pd.DataFrame:
    frames = [
        pd.DataFrame(
            dict(zip(names, key, strict=True))
            | {"index": range(len(eigenvalues)), "eigenvalue": eigenvalues}
        )
        for key, eigenvalues in spectra.items()
    ]
    return pd.concat(frames, ignore_index=True)
