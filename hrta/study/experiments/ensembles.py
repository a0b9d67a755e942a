"""One ensemble: all methods, learning rates and seeds of an experiment at one width."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem
from hrta.schedules import Schedule
from hrta.study.analysis.schema import TRAINING
from hrta.study.config.training import TrainingSpec
from hrta.study.experiments.devices import choose_device, name_of
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem
from hrta.training.objectives.two_layer import TwoLayerRegression
from hrta.training.trainer import train

Run = tuple[str, float, int]


def run(spec: TrainingSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """Train every method with every learning rate from the same initial weights per seed.

    Returns:
        Rows of `TRAINING`, one for each run and logged step; as facts the engine, and the diverged
        runs as a list of {method, learning_rate, seed, step}.

    Raises:
        ValueError: as `hrta.train`, or a device that is not available.
    """
    device = choose_device(spec.device)
    return train_ensemble(load_problem(spec.problem), spec, device, progress, checkpoint)


def train_ensemble(
    problem: Problem,
    spec: TrainingSpec,
    device: str,
    progress: Progress = quiet,
    checkpoint: Path | None = None,
) -> Outcome:
    """As `run`, for a loaded problem and a chosen device."""
    runs = list(product(spec.methods, spec.learning_rates, range(spec.seeds)))
    schedules = {
        method: Schedule.constant_length(s, spec.stage_steps) for method, s in spec.methods.items()
    }
    seeds = [seed for _, _, seed in runs]
    networks = TwoLayer.initialise(
        seeds,
        problem.inputs,
        spec.width,
        dtype=getattr(torch, spec.dtype),
        device=device,
        signs=spec.fixed_outer,
    )
    training = train(
        problem,
        networks,
        [schedules[method] for method, _, _ in runs],
        spec.optimizer,
        [rate for _, rate, _ in runs],
        spec.momentum,
        spec.log_every,
        decay=spec.decay,
        fixed_outer=spec.fixed_outer,
        batch_size=spec.batch_size,
        batch_seeds=None if spec.batch_size is None else seeds,
        engine=spec.engine,
        objective=TwoLayerRegression(),
        progress=progress,
        checkpoint=checkpoint,
    )
    diverged = [
        dict(zip(("method", "learning_rate", "seed"), runs[run], strict=True)) | {"step": step}
        for run, step in training.diverged.items()
    ]
    return Outcome(
        _results(problem, spec, training.history, runs),
        spec.dtype,
        device=name_of(device),
        facts={"engine": training.engine, "diverged": diverged},
    )


def _results(
    problem: Problem, spec: TrainingSpec, history: pd.DataFrame, runs: list[Run]
) -> pd.DataFrame:
    run = history["run"].to_numpy()
    method = np.array([list(spec.methods).index(method) for method, _, _ in runs])

    def same(value: str) -> pd.Categorical:
        return pd.Categorical.from_codes(np.zeros(len(run), dtype=int), [value])

    columns = {
        "experiment": same(spec.experiment),
        "problem": same(problem.name),
        "width": spec.width,
        "method": pd.Categorical.from_codes(method[run], list(spec.methods)),
        "optimizer": same(spec.optimizer),
        "learning_rate": np.array([rate for _, rate, _ in runs])[run],
        "seed": np.array([seed for _, _, seed in runs])[run],
    }
    return TRAINING.select(pd.DataFrame(columns).join(history))
