"""One experiment's ensemble: methods, learning rates and seeds, the same weights for each seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem
from hrta.schedules import Schedule
from hrta.training.loop import Progress
from hrta.training.objectives.two_layer import TwoLayerRegression
from hrta.training.trainer import train

DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class Ensemble:
    """What distinguishes an ensemble, all of it plain data.

    Attributes:
        experiment: what results call it.
        width: m.
        methods: name of each method and its s, stage by stage.
        stage_steps: steps of every stage.
        seeds: of the initial weights.
        learning_rates: each method is trained with each of them.
        optimizer, momentum, decay, batch_size, log_every, engine: as in `hrta.train`; a run's
            batches are drawn with its seed.
        fixed_outer: train the inner weights alone, with outer weights of 1 or -1.
        dtype: float32 or float64.
    """

    experiment: str
    width: int
    methods: Mapping[str, Sequence[float]]
    stage_steps: int
    seeds: Sequence[int]
    learning_rates: Sequence[float] = (1e-3,)
    optimizer: str = "adam"
    momentum: float = 0.9
    decay: float = 1.0
    batch_size: int | None = None
    fixed_outer: bool = False
    log_every: int = 10
    dtype: str = "float32"
    engine: str = "auto"


def train_ensemble(
    problem: Problem,
    ensemble: Ensemble,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
) -> tuple[pd.DataFrame, dict[str, object]]:
    """Train every method with every learning rate from the same initial weights per seed.

    Args:
        problem: the points.
        ensemble: who is trained, and how.
        device: where.
        progress, checkpoint: as in `hrta.train`.

    Returns:
        The results table, a row for each run and logged step, with the columns experiment,
        problem, width, method, optimizer, learning_rate, seed, step, stage, s, loss and test_loss;
        and what else there is to record: the engine, and the diverged runs as a list of {method,
        learning_rate, seed, step}.

    Raises:
        ValueError: as `hrta.train`, or an unknown dtype.
    """
    if ensemble.dtype not in DTYPES:
        raise ValueError(f"unknown dtype {ensemble.dtype!r}; there are {', '.join(DTYPES)}")
    runs = list(product(ensemble.methods, ensemble.learning_rates, ensemble.seeds))
    schedules = {
        method: Schedule.constant_length(s, ensemble.stage_steps)
        for method, s in ensemble.methods.items()
    }
    networks = TwoLayer.initialise(
        [seed for _, _, seed in runs],
        problem.inputs,
        ensemble.width,
        dtype=DTYPES[ensemble.dtype],
        device=device,
        signs=ensemble.fixed_outer,
    )
    training = train(
        problem,
        networks,
        [schedules[method] for method, _, _ in runs],
        ensemble.optimizer,
        [rate for _, rate, _ in runs],
        ensemble.momentum,
        ensemble.log_every,
        decay=ensemble.decay,
        fixed_outer=ensemble.fixed_outer,
        batch_size=ensemble.batch_size,
        batch_seeds=None if ensemble.batch_size is None else [seed for _, _, seed in runs],
        engine=ensemble.engine,
        objective=TwoLayerRegression(),
        progress=progress,
        checkpoint=checkpoint,
    )
    diverged = [
        dict(zip(("method", "learning_rate", "seed"), runs[run], strict=True)) | {"step": step}
        for run, step in training.diverged.items()
    ]
    return _results(problem, ensemble, training.history, runs), {
        "engine": training.engine,
        "diverged": diverged,
    }


def _results(
    problem: Problem,
    ensemble: Ensemble,
    history: pd.DataFrame,
    runs: list[tuple[str, float, int]],
) -> pd.DataFrame:
    run = history["run"].to_numpy()
    method = np.array([list(ensemble.methods).index(method) for method, _, _ in runs])

    def same(value: str) -> pd.Categorical:
        return pd.Categorical.from_codes(np.zeros(len(run), dtype=int), [value])

    columns = {
        "experiment": same(ensemble.experiment),
        "problem": same(problem.name),
        "width": ensemble.width,
        "method": pd.Categorical.from_codes(method[run], list(ensemble.methods)),
        "optimizer": same(ensemble.optimizer),
        "learning_rate": np.array([rate for _, rate, _ in runs])[run],
        "seed": np.array([seed for _, _, seed in runs])[run],
    }
    return pd.DataFrame(columns).join(history.drop(columns="run"))


def choose_device(name: str) -> torch.device:
    """The device called auto (a GPU where there is one), cpu or cuda.

    Raises:
        ValueError: another name, or cuda where there is none.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise ValueError(f"unknown device {name!r}; there are auto, cpu, cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda: there is no usable CUDA GPU here; use cpu or auto")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
