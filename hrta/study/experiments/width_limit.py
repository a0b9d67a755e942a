"""How fast the tangent kernel of finite networks approaches that of infinite width."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch

from hrta.networks.two_layer import TwoLayer
from hrta.ntk.eigenvalues import spectrum
from hrta.ntk.matrices import empirical_gram, gram
from hrta.problems.problem import Problem


def width_limit_table(
    problem: Problem,
    experiment: str,
    s_values: Sequence[float],
    widths: Sequence[int],
    seeds: Sequence[int],
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Gram matrices of networks as they are initialised against those of infinite width.

    Args:
        problem: whose training points are taken.
        experiment: what results call it.
        s_values: homotopy parameters in [0, 2].
        widths: of the finite networks.
        seeds: of the finite networks.
        progress: called with the number of networks done and their number.

    Returns:
        Tidy table of experiment, problem, s, width, seed, kernel_error |K_m - K| / |K| (Frobenius),
        smallest, lambda_min(K_m), smallest_limit, lambda_min(K), and smallest_error, the relative
        error of the one against the other.
    """
    limits = {s: gram(problem.x, s) for s in s_values}
    smallest = {s: spectrum(limit)[0] for s, limit in limits.items()}
    rows = []
    networks = [(width, seed) for width in widths for seed in seeds]
    for done, (width, seed) in enumerate(networks, start=1):
        network = TwoLayer.initialise([seed], problem.inputs, width, dtype=torch.float64)
        inner, outer = network.inner[0].numpy(), network.outer[0].numpy()
        for s, limit in limits.items():
            matrix = empirical_gram(problem.x, inner, outer, s)
            rows.append(
                {
                    "s": s,
                    "width": width,
                    "seed": seed,
                    "kernel_error": np.linalg.norm(matrix - limit) / np.linalg.norm(limit),
                    "smallest": spectrum(matrix)[0],
                    "smallest_limit": smallest[s],
                }
            )
        if progress is not None:
            progress(done, len(networks))
    table = pd.DataFrame(rows)
    table["smallest_error"] = (table["smallest"] / table["smallest_limit"] - 1).abs()
    table.insert(0, "problem", problem.name)
    table.insert(0, "experiment", experiment)
    return table
