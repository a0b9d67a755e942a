"""Heavy ball and Nesterov on the inner weights alone, compared with the linearised network."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hrta.ntk.eigenvalues import spectrum
from hrta.ntk.finite_width import empirical_gram
from hrta.ntk.linearised import draw_parts
from hrta.ntk.matrices import gram
from hrta.ntk.momentum import OPTIMIZERS, momentum_from_kernel, predict_losses_with_momentum
from hrta.problems.problem import Problem
from hrta.runtime.arrays import as_float64
from hrta.schedules import Schedule, Stage
from hrta.study.analysis.schema import ACCELERATION
from hrta.study.config.acceleration import AccelerationSpec
from hrta.study.experiments.devices import choose_device, name_of
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem

if TYPE_CHECKING:
    from hrta.networks.two_layer import TwoLayer

# Number of measurements of a run's travel, at geometrically spaced steps.
OBSERVATIONS = 20


def run(
    spec: AccelerationSpec, progress: Progress = quiet, checkpoint: Path | None = None
) -> Outcome:
    """ReLU networks in float64, outer weights fixed at +-1, trained with each of OPTIMIZERS.

    The learning rate is step_fraction / largest; momentum, where the optimizer has it, is that of
    `momentum_from_kernel`. The prediction starts from the initial weights of the trained network.
    At infinite width (the width is missing) networks are drawn from the limit, and the loss is the
    predicted one.

    Returns:
        Rows of `ACCELERATION`: predicted is the loss of the linearised network, travel is
        max_k |w_k(t) - w_k(0)| (missing where not measured), smallest and largest are eigenvalues
        of the inner layer's Gram matrix at infinite width, divided by n, smallest_start is that of
        the network at initialisation.

    Raises:
        ValueError: a singular Gram matrix, or as `hrta.train`.
    """
    problem = load_problem(spec.problem)
    kernel = gram(problem.x, 1.0, "inner")
    smallest, *_, largest = spectrum(kernel) / len(kernel)
    rate = spec.step_fraction / largest
    optimizer_settings = {
        "learning_rate": rate,
        "momentum": momentum_from_kernel(smallest, rate),
    }
    device, tables = choose_device(spec.device), []
    for done, width in enumerate([*spec.widths, None], start=1):
        table = _at_width(problem, kernel, width, spec, device, optimizer_settings)
        tables.append(table.assign(width=width))
        progress(done, len(spec.widths) + 1)
    table = pd.concat(tables, ignore_index=True).astype({"width": "Int64"})
    table = table.assign(
        experiment=spec.experiment,
        problem=problem.name,
        smallest=smallest,
        largest=largest,
        **optimizer_settings,
    )
    return Outcome(ACCELERATION.select(table), "float64", device=name_of(device))


def _at_width(
    problem: Problem,
    kernel: np.ndarray,
    width: int | None,
    spec: AccelerationSpec,
    device: str,
    optimizer_settings: dict[str, float],
) -> pd.DataFrame:
    """The columns that differ between runs: one row for each run and logged step."""
    import torch

    from hrta.networks.two_layer import TwoLayer

    logged = [*range(0, spec.steps, spec.log_every), spec.steps]
    seeds = range(spec.seeds)
    runs = pd.DataFrame(
        {"seed": np.repeat(seeds, len(logged)), "step": np.tile(logged, spec.seeds)}
    )
    if width is None:
        # a_k has variance 1, as its sign has.
        outputs = sum(draw_parts(problem.x, spec.seeds)) / 2
        smallest = np.full(spec.seeds, np.nan)
    else:
        networks = TwoLayer.initialise(
            seeds, problem.inputs, width, torch.float64, device, signs=True
        )
        outputs = as_float64(networks.predict(problem.x, 1.0))
        matrices = empirical_gram(problem.x, networks.inner, networks.outer, 1.0, "inner")
        smallest = np.array([spectrum(matrix)[0] for matrix in matrices])
    runs["smallest_start"] = np.repeat(smallest / len(kernel), len(logged))
    tables = []
    for optimizer in OPTIMIZERS:
        loss = predict_losses_with_momentum(
            kernel, outputs - problem.y, optimizer=optimizer, **optimizer_settings, steps=logged
        )
        table = runs.assign(optimizer=optimizer, predicted=loss.ravel(), travel=np.nan)
        if width is not None:
            loss, table["travel"] = _measured(
                problem, networks, optimizer, optimizer_settings, logged
            )
        tables.append(table.assign(loss=loss.ravel()))
    return pd.concat(tables)


def _measured(
    problem: Problem,
    networks: "TwoLayer",
    optimizer: str,
    optimizer_settings: dict[str, float],
    logged: list[int],
) -> tuple[np.ndarray, np.ndarray]:
    """Loss and travel at the logged steps, each [runs x steps] as one axis, run by run."""
    from hrta.training.objectives.two_layer import TwoLayerRegression
    from hrta.training.trainer import train

    places = np.unique(np.geomspace(len(logged) - 1, 1, OBSERVATIONS).round().astype(int))
    travel = np.full((networks.runs, len(logged)), np.nan)

    def observe(step: int, now: "TwoLayer") -> None:
        moved = (now.inner - networks.inner).norm(dim=1).amax(dim=1)
        travel[:, logged.index(step)] = as_float64(moved)

    training = train(
        problem,
        networks,
        Schedule([Stage(1.0, logged[-1])]),
        optimizer=optimizer,
        **optimizer_settings,
        log_every=logged[1] - logged[0],
        fixed_outer=True,
        objective=TwoLayerRegression(),
        observe=observe,
        observe_at=[logged[place] for place in places],
    )
    return training.history["loss"].to_numpy(), travel.ravel()
