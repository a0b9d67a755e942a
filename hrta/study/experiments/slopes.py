"""Deep networks with fixed and adaptive slopes, with and without slope recovery, on a function.

Source: arXiv 1909.12228; the weight of slope recovery and the initial weights are assumed.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch

from hrta.networks.adaptive import AdaptiveNetworks
from hrta.problems.problem import Problem
from hrta.schedules import Schedule, Stage
from hrta.training.loop import Progress
from hrta.training.objectives.adaptive import AdaptiveSlopes
from hrta.training.trainer import train


def laaf_table(
    problem: Problem,
    experiment: str,
    variants: Mapping[str, Mapping[str, str | float]],
    hidden: Sequence[int],
    activation: str,
    seeds: Sequence[int],
    steps: int,
    checkpoints: Sequence[int],
    learning_rate: float,
    scale: float,
    log_every: int,
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train every variant from the same initial weights per seed; losses, and the functions found.

    Args:
        problem: the points, of one input.
        experiment: what results call it.
        variants: by name, `adaptive` of `AdaptiveNetworks` and `recovery` of `AdaptiveSlopes`.
        hidden: neurons of each hidden layer.
        activation: tanh or relu.
        seeds: of the initial weights, no two the same.
        steps, learning_rate: of Adam; the rate is constant.
        checkpoints: steps after which the functions are wanted, at least one.
        scale: n.
        log_every: steps between losses.
        progress: called from time to time with the steps done and their number, of all variants.

    Returns:
        Tidy table of experiment, problem, variant, seed, step, loss (the mean square) and slope
        (n a, the mean over layers); and one of experiment, problem, variant, seed, step, x1, y and
        prediction at the training points in ascending order.

    Raises:
        ValueError: a problem of several inputs, a checkpoint that is no step, or as
            `hrta.train`.
    """
    _check(problem, steps, checkpoints)
    errors, solutions = [], []
    for done, (name, variant) in enumerate(variants.items()):
        networks = AdaptiveNetworks.initialise(
            seeds, problem.inputs, hidden, activation, str(variant["adaptive"]), scale
        )
        observer = _Observer(problem, seeds, checkpoints)
        training = train(
            problem,
            networks,
            Schedule([Stage(1.0, steps)]),
            learning_rate=learning_rate,
            log_every=log_every,
            objective=AdaptiveSlopes(float(variant["recovery"])),
            observe=observer,
            observe_at=[*range(0, steps, log_every), *checkpoints, steps],
            progress=_part_of(progress, done, len(variants)),
        )
        errors.append(observer.with_slopes(training.history).assign(variant=name))
        solutions.append(pd.concat(observer.solutions).assign(variant=name))
    cell = ["experiment", "problem", "variant", "seed", "step"]
    names = {"experiment": experiment, "problem": problem.name}
    errors, solutions = (
        pd.concat(parts, ignore_index=True).assign(**names) for parts in (errors, solutions)
    )
    return errors[[*cell, "loss", "slope"]], solutions[[*cell, "x1", "y", "prediction"]]


class _Observer:
    """Notes down slopes whenever it is called, and the functions at the checkpoints."""

    def __init__(self, problem: Problem, seeds: Sequence[int], checkpoints: Sequence[int]) -> None:
        order = np.argsort(problem.x[:, 0], kind="stable")
        self._x, self._y = problem.x[order], problem.y[order]
        self._seeds, self._checkpoints = np.asarray(seeds), set(checkpoints)
        self._slopes: list[pd.DataFrame] = []
        self.solutions: list[pd.DataFrame] = []

    def __call__(self, step: int, networks: AdaptiveNetworks) -> None:
        of_layers = torch.stack([slope.mean(dim=(1, 2)) for slope in networks.slopes])
        slopes = (networks.scale * of_layers).mean(dim=0).double().numpy()
        self._slopes.append(pd.DataFrame({"seed": self._seeds, "step": step, "slope": slopes}))
        if step not in self._checkpoints:
            return
        predictions = networks.predict(torch.as_tensor(self._x).to(networks.weights[0]))
        table = pd.DataFrame(
            {
                "seed": np.repeat(self._seeds, len(self._x)),
                "x1": np.tile(self._x[:, 0], len(self._seeds)),
                "y": np.tile(self._y, len(self._seeds)),
                "prediction": predictions.double().numpy().ravel(),
            }
        )
        self.solutions.append(table.assign(step=step))

    def with_slopes(self, history: pd.DataFrame) -> pd.DataFrame:
        """The history of training with seeds and with the slopes noted down."""
        seeds = self._seeds[history["run"]]
        return history.assign(seed=seeds).merge(pd.concat(self._slopes), on=["seed", "step"])


def _part_of(progress: Progress | None, done: int, parts: int) -> Progress | None:
    """The progress of one part of several, all equally long, told as that of all."""
    if progress is None:
        return None
    return lambda step, steps: progress(done * steps + step, parts * steps)


def _check(problem: Problem, steps: int, checkpoints: Sequence[int]) -> None:
    if problem.inputs != 1:
        raise ValueError(
            f"laaf: problem {problem.name} has {problem.inputs} inputs; functions are kept and "
            "drawn for one input only"
        )
    if not len(checkpoints):
        raise ValueError("laaf: at least one checkpoint is needed")
    outside = [step for step in checkpoints if not 0 <= step <= steps or step != int(step)]
    if outside:
        raise ValueError(f"laaf: checkpoint {outside[0]} is no step within 0 .. {steps}")
