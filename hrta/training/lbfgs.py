"""Limited-memory BFGS with a strong-Wolfe line search (torch's), one network after another.

Source: D. Liu and J. Nocedal, On the limited memory BFGS method for large scale optimization, Math.
Program. 45:503-528 (1989); torch.optim.LBFGS.
"""

import math
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hrta.activations import check_homotopy_parameter
from hrta.networks.two_layer import TwoLayer, with_bias
from hrta.problems.problem import Problem, check_numbers
from hrta.runtime.processes import one_cpu_thread
from hrta.training.objectives.two_layer_loss import WIDTH_MULTIPLE, Loss
from hrta.training.packing import pack, unpack
from hrta.training.task import Progress, check_inputs, check_positive_integer, one_rate_per_run

# Iterations between rows of the history: few at first, when the loss changes fastest.
ITERATIONS = (1, 1, 2, 4, 8, 16)
# Maximal number of evaluations of one line search: the former default of torch.
SEARCH_EVALUATIONS = 25


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
        networks: the initial networks; they are not changed.
        evaluations: maximal number of evaluations of loss and gradient, including those of line
            searches; the last line search may exceed it by one.
        learning_rate: the initial step length of a line search (at the first iteration at most
            learning_rate / |g|_1), one for all runs or one for each.
        history_size: number of pairs of differences that approximate the Hessian.
        s: homotopy parameter in [0, 2].
        progress: called with the number of finished networks and the number of networks.

    Returns:
        Tidy table of run, step (maximal number of iterations so far), evaluations, seconds, loss
        and, with a test set, test_loss, in growing intervals; and the trained networks. If no step
        lowers the loss, a run restarts with an empty history of differences; it ends early if that
        does not help, and with an infinite loss if it diverges.

    Raises:
        ValueError: an argument outside its range, or a problem that does not fit the networks.
    """
    _check(problem, networks, evaluations, history_size, s)
    rates = one_rate_per_run(learning_rate, networks.runs, "lbfgs: learning_rate")
    parameters = pack(networks, WIDTH_MULTIPLE)
    tables = []
    for run in range(networks.runs):
        trained = _Run(problem, networks.width, parameters[run : run + 1], s)
        with one_cpu_thread():
            rows = trained.train(int(evaluations), float(rates[run]), int(history_size))
        tables.append(pd.DataFrame(rows).assign(run=run))
        if progress is not None:
            progress(run + 1, networks.runs)
    history = pd.concat(tables, ignore_index=True)
    names = ["run", "step", "evaluations", "seconds", "loss", "test_loss"]
    return history[[name for name in names if name in history]], unpack(parameters, networks.width)


class _Run:
    """The training of one network; its parameters [1, D + 1, m] are updated in place."""

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
        """The loss; the gradient is written to `parameters.grad`."""
        losses = self.loss.value_and_gradient(self.parameters, self.s, self.gradient)
        self.parameters.grad = self.gradient
        self.evaluated += 1
        return losses[0]

    def train(self, evaluations: int, learning_rate: float, history_size: int) -> list[dict]:
        """Train, and return the rows of the history."""
        optimizer, rows = self.optimizer(learning_rate, history_size), [self.row(0, 0.0)]
        seconds, steps, failures = 0.0, 0, 0
        while self.evaluated < evaluations and math.isfinite(rows[-1]["loss"]) and failures < 2:
            before, started = self.parameters.clone(), time.perf_counter()
            iterations = ITERATIONS[min(len(rows), len(ITERATIONS)) - 1]
            optimizer.param_groups[0]["max_iter"] = iterations
            remaining = evaluations - self.evaluated
            # A line search that fails at a kink must not use all remaining evaluations.
            optimizer.param_groups[0]["max_eval"] = min(remaining, iterations + SEARCH_EVALUATIONS)
            optimizer.step(self.evaluate)
            seconds += time.perf_counter() - started
            steps += iterations
            rows.append(self.row(steps, seconds))
            if not torch.equal(self.parameters, before):
                failures = 0
            else:
                # At a kink, the differences from its other side give a wrong direction.
                optimizer = self.optimizer(learning_rate, history_size)
                failures += 1
        return rows

    def optimizer(self, learning_rate: float, history_size: int) -> torch.optim.LBFGS:
        """An optimizer with an empty history that does not stop at a tolerance."""
        return torch.optim.LBFGS(
            [self.parameters],
            lr=learning_rate,
            history_size=history_size,
            tolerance_grad=0,
            tolerance_change=0,
            line_search_fn="strong_wolfe",
        )

    def row(self, step: int, seconds: float) -> dict[str, float]:
        """A row of the history for the current parameters."""
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
    check_homotopy_parameter(s, "lbfgs")
