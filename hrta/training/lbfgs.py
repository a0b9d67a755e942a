"""Limited-memory BFGS with a strong-Wolfe line search: torch's, one network after another.

Source: D. Liu and J. Nocedal, On the limited memory BFGS method for large scale optimization, Math.
Program. 45:503-528 (1989); torch.optim.LBFGS.
"""

import math
import time
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hrta.networks.two_layer import TwoLayer, with_bias
from hrta.problems.problem import Problem, check_numbers
from hrta.runtime.processes import one_cpu_thread
from hrta.training.objectives.two_layer_loss import WIDTH_MULTIPLE, Loss
from hrta.training.packing import pack, unpack
from hrta.training.task import check_inputs, check_positive_integer, one_rate_per_run

Progress = Callable[[int, int], None]
# Iterations between two rows of the history: few at first, when much happens.
ITERATIONS = (1, 1, 2, 4, 8, 16)
# Evaluations of one line search, as torch's used to have it.
LONGEST_SEARCH = 25


def train(
    problem: Problem,
    networks: TwoLayer,
    evaluations: int = 1000,
    learning_rate: float | Sequence[float] = 1.0,
    history_size: int = 10,
    s: float = 1.0,
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, TwoLayer]:
    """Minimise R_s = 1/(2n) sum_i (phi_s(x_i) - y_i)^2 over both layers of each network.

    Args:
        problem: the points, cast to the dtype of the networks.
        networks: where training starts; left untouched.
        evaluations: of loss and gradient, the line search's included; the last step may go over by
            one.
        learning_rate: the first step length that a line search tries (at the very first iteration
            at most learning_rate / |g|_1), one for all runs or one for each.
        history_size: how many pairs of differences approximate the Hessian.
        s: homotopy parameter.
        progress: called with the number of networks done and their number.

    Returns:
        Tidy table of run, step (iterations at most), evaluations, seconds, loss and, with a test
        set, test_loss, in ever wider intervals; and the trained networks. Where no step along the
        direction lowers the loss any more, a run begins again with nothing remembered; it ends
        early where that does not help, or with an infinite loss where it diverges.

    Raises:
        ValueError: an argument outside its range, or a problem that does not fit the networks.
    """
    _check(problem, networks, evaluations, history_size, s)
    rates = one_rate_per_run(learning_rate, networks.runs, "lbfgs: learning_rate")
    parameters = pack(networks, WIDTH_MULTIPLE)
    tables = []
    for run in range(networks.runs):
        searched = _Run(problem, networks.width, parameters[run : run + 1], s)
        with one_cpu_thread():
            rows = searched.train(int(evaluations), float(rates[run]), int(history_size))
        tables.append(pd.DataFrame(rows).assign(run=run))
        if progress is not None:
            progress(run + 1, networks.runs)
    history = pd.concat(tables, ignore_index=True)
    names = ["run", "step", "evaluations", "seconds", "loss", "test_loss"]
    return history[[name for name in names if name in history]], unpack(parameters, networks.width)


class _Run:
    """One network, its parameters [1, D + 1, m] moved in place."""

    def __init__(self, problem: Problem, width: int, parameters: Tensor, s: float) -> None:
        self.parameters = parameters.requires_grad_(False)
        self.gradient = torch.empty_like(parameters)
        self.s = parameters.new_tensor([s])
        self.loss = self._loss(problem.x, problem.y, width)
        self.test_loss = None
        if problem.x_test is not None:
            self.test_loss = self._loss(problem.x_test, problem.y_test, width)
        self.evaluated = 0

    def _loss(self, x: np.ndarray, y: np.ndarray, width: int) -> Loss:
        return Loss(with_bias(x, self.parameters), torch.as_tensor(y).to(self.parameters), width)

    def evaluate(self) -> Tensor:
        """The loss; its gradient is left where the optimizer looks for it."""
        losses = self.loss.value_and_gradient(self.parameters, self.s, self.gradient)
        self.parameters.grad = self.gradient
        self.evaluated += 1
        return losses[0]

    def train(self, evaluations: int, learning_rate: float, history_size: int) -> list[dict]:
        """The rows of the history."""
        optimizer, rows = self.optimizer(learning_rate, history_size), [self.row(0, 0.0)]
        seconds, steps, stuck = 0.0, 0, 0
        while self.evaluated < evaluations and math.isfinite(rows[-1]["loss"]) and stuck < 2:
            before, started = self.parameters.clone(), time.perf_counter()
            iterations = ITERATIONS[min(len(rows), len(ITERATIONS)) - 1]
            optimizer.param_groups[0]["max_iter"] = iterations
            left = evaluations - self.evaluated
            # A search that finds nothing at a kink must not use up all that is left.
            optimizer.param_groups[0]["max_eval"] = min(left, iterations + LONGEST_SEARCH)
            optimizer.step(self.evaluate)
            seconds += time.perf_counter() - started
            steps += iterations
            rows.append(self.row(steps, seconds))
            if not torch.equal(self.parameters, before):
                stuck = 0
            else:
                # At a kink: what is remembered of the function on its other side misleads.
                optimizer = self.optimizer(learning_rate, history_size)
                stuck += 1
        return rows

    def optimizer(self, learning_rate: float, history_size: int) -> torch.optim.LBFGS:
        """One that remembers nothing, and stops nowhere by itself."""
        return torch.optim.LBFGS(
            [self.parameters],
            lr=learning_rate,
            history_size=history_size,
            tolerance_grad=0,
            tolerance_change=0,
            line_search_fn="strong_wolfe",
        )

    def row(self, step: int, seconds: float) -> dict[str, float]:
        """Where the run is now."""
        row = {"step": step, "evaluations": self.evaluated, "seconds": seconds}
        for name, loss in (("loss", self.loss), ("test_loss", self.test_loss)):
            if loss is not None:
                value = float(loss.value(self.parameters, self.s)[0])
                row[name] = value if math.isfinite(value) else math.inf
        return row


def _check(
    problem: Problem, networks: TwoLayer, evaluations: int, history_size: int, s: float
) -> None:
    check_numbers(problem, "lbfgs")
    check_inputs(problem, networks, "lbfgs")
    check_positive_integer(evaluations, "lbfgs: evaluations")
    check_positive_integer(history_size, "lbfgs: history_size")
    if not 0 <= s <= 2:
        raise ValueError(f"lbfgs: s must be in [0, 2]; it is {s:g}")
