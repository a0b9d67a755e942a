"""The distance of the tangent kernel of finite networks from its infinite-width limit."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hrta.networks.two_layer import TwoLayer
from hrta.ntk.eigenvalues import spectrum
from hrta.ntk.finite_width import finite_kernel
from hrta.ntk.matrices import gram
from hrta.study.analysis.schema import WIDTH_LIMIT
from hrta.study.config.theory import WidthLimitSpec
from hrta.study.experiments.devices import choose_device, name_of
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem


def run(
    spec: WidthLimitSpec, progress: Progress = quiet, checkpoint: Path | None = None
) -> Outcome:
    """Gram matrices of networks at initialisation against those of infinite width.

    Returns:
        Rows of `WIDTH_LIMIT`: kernel_error |K_m - K| / |K| (Frobenius norm), smallest
        lambda_min(K_m), smallest_limit lambda_min(K), and smallest_error, the relative error of
        smallest.
    """
    problem, device = load_problem(spec.problem), choose_device(spec.device)
    limits = {s: gram(problem.x, s) for s in spec.s}
    smallest = {s: spectrum(limit)[0] for s, limit in limits.items()}
    rows = []
    networks = [(width, seed) for width in spec.widths for seed in range(spec.seeds)]
    for done, (width, seed) in enumerate(networks, start=1):
        network = TwoLayer.initialise([seed], problem.inputs, width, torch.float64, device)
        kernel = finite_kernel(problem.x, network.inner[0], network.outer[0])
        for s, limit in limits.items():
            matrix = kernel.gram(s)
            rows.append(
                {
                    "experiment": spec.experiment,
                    "problem": problem.name,
                    "s": s,
                    "width": width,
                    "seed": seed,
                    "kernel_error": np.linalg.norm(matrix - limit) / np.linalg.norm(limit),
                    "smallest": spectrum(matrix)[0],
                    "smallest_limit": smallest[s],
                }
            )
        progress(done, len(networks))
    table = pd.DataFrame(rows)
    table["smallest_error"] = (table["smallest"] / table["smallest_limit"] - 1).abs()
    return Outcome(WIDTH_LIMIT.select(table), "float64", device=name_of(device))
