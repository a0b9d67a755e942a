"""Deep networks with fixed and adaptive slopes, with and without slope recovery, in one dimension.

Source: arXiv 1909.12228; the weight of slope recovery and the initial weights are assumed.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hrta.networks.adaptive import AdaptiveNetworks
from hrta.problems.problem import Problem
from hrta.schedules import Schedule, Stage
from hrta.study.analysis.schema import SLOPE_SOLUTIONS, SLOPES
from hrta.study.config.adaptive_slopes import SlopesSpec
from hrta.study.experiments.devices import choose_device, name_of
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem
from hrta.training.objectives.adaptive import AdaptiveSlopes
from hrta.training.trainer import train


def run(spec: SlopesSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """Train every variant from the same initial weights per seed.

    Returns:
        Rows of `SLOPES`: loss is the mean squared error, slope the mean of n a over layers. As
        second table rows of `SLOPE_SOLUTIONS`, at the training points in ascending order.

    Raises:
        ValueError: a problem of several inputs, or as `hrta.train`.
    """
    problem = load_problem(spec.problem)
    if problem.inputs != 1:
        raise ValueError(
            f"slopes: problem {problem.name} has {problem.inputs} inputs; it must have one"
        )
    device = choose_device(spec.device)
    errors, solutions = [], []
    for done, (name, variant) in enumerate(spec.variants.items()):
        networks = AdaptiveNetworks.initialise(
            range(spec.seeds),
            1,
            spec.hidden,
            spec.activation,
            variant.adaptive,
            spec.scale,
            device=device,
        )
        observer = _Observer(problem, spec.seeds, spec.solution_steps)
        training = train(
            problem,
            networks,
            Schedule([Stage(1.0, spec.steps)]),
            learning_rate=spec.learning_rate,
            log_every=spec.log_every,
            objective=AdaptiveSlopes(variant.recovery),
            observe=observer,
            observe_at=[*range(0, spec.steps, spec.log_every), *spec.solution_steps, spec.steps],
            progress=_part_of(progress, done, len(spec.variants)),
        )
        errors.append(observer.with_slopes(training.history).assign(variant=name))
        solutions.append(pd.concat(observer.solutions).assign(variant=name))
    errors, solutions = (
        pd.concat(parts, ignore_index=True).assign(experiment=spec.experiment, problem=problem.name)
        for parts in (errors, solutions)
    )
    return Outcome(
        SLOPES.select(errors),
        "float32",
        device=name_of(device),
        second=SLOPE_SOLUTIONS.select(solutions),
    )


class _Observer:
    """Records the slopes at every observed step, and the predictions at `solution_steps`."""

    def __init__(self, problem: Problem, seeds: int, solution_steps: Sequence[int]) -> None:
        order = np.argsort(problem.x[:, 0], kind="stable")
        self._x, self._y = problem.x[order], problem.y[order]
        self._seeds, self._solution_steps = np.arange(seeds), set(solution_steps)
        self._slopes: list[pd.DataFrame] = []
        self.solutions: list[pd.DataFrame] = []

    def __call__(self, step: int, networks: AdaptiveNetworks) -> None:
        of_layers = torch.stack([slope.mean(dim=(1, 2)) for slope in networks.slopes])
        slopes = (networks.scale * of_layers).mean(dim=0).double().cpu().numpy()
        self._slopes.append(pd.DataFrame({"seed": self._seeds, "step": step, "slope": slopes}))
        if step not in self._solution_steps:
            return
        predictions = networks.predict(torch.as_tensor(self._x).to(networks.weights[0]))
        table = pd.DataFrame(
            {
                "seed": np.repeat(self._seeds, len(self._x)),
                "x1": np.tile(self._x[:, 0], len(self._seeds)),
                "y": np.tile(self._y, len(self._seeds)),
                "prediction": predictions.double().cpu().numpy().ravel(),
            }
        )
        self.solutions.append(table.assign(step=step))

    def with_slopes(self, history: pd.DataFrame) -> pd.DataFrame:
        """The history of training with seeds and with the recorded slopes."""
        seeds = self._seeds[history["run"]]
        return history.assign(seed=seeds).merge(pd.concat(self._slopes), on=["seed", "step"])


def _part_of(progress: Progress, done: int, parts: int) -> Progress:
    """The progress of one of several equally long parts, reported as progress of the whole."""
    return lambda step, steps: progress(done * steps + step, parts * steps)
