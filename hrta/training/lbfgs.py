"""Two-layer networks trained by limited-memory BFGS on a CPU, one network after another."""

import math
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from hrta.activations import check_homotopy_parameter
from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem, check_numbers
from hrta.runtime.arguments import as_integer, check_type
from hrta.runtime.memory import need_memory
from hrta.training.engines.numba_engine import Points
from hrta.training.kernels import lbfgs as kernels
from hrta.training.kernels.vectors import VECTOR_BYTES
from hrta.training.lbfgs_optimizer import Lbfgs
from hrta.training.packing import pack, points_and_targets, unpack
from hrta.training.task import Progress, check_inputs, one_rate_per_run

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
    evaluations = as_integer(evaluations, "lbfgs: evaluations")
    history_size = as_integer(history_size, "lbfgs: history_size")
    _check(problem, networks, s, progress)
    rates = one_rate_per_run(learning_rate, networks.runs, "lbfgs: learning_rate")
    multiple = 1 if networks.inputs == 1 else VECTOR_BYTES // networks.inner.itemsize
    parameters = pack(networks, multiple).numpy()
    if not np.isfinite(parameters).all():
        raise ValueError("lbfgs: networks must have finite weights")
    need_memory(
        2 * history_size * parameters[0].nbytes, f"lbfgs: a history of {history_size} pairs"
    )
    tables = []
    for run in range(networks.runs):
        trained = _Run(problem, networks, parameters[run], s)
        rows = trained.train(evaluations, float(rates[run]), history_size)
        tables.append(pd.DataFrame(rows).assign(run=run))
        if progress is not None:
            progress(run + 1, networks.runs)
    history = pd.concat(tables, ignore_index=True)
    names = ["run", "step", "evaluations", "seconds", "loss", "test_loss"]
    return history[[name for name in names if name in history]], unpack(parameters, networks.width)


class _Run:
    """The training of one network; its parameters [D + 1, M] are updated in place."""

    def __init__(
        self, problem: Problem, networks: TwoLayer, parameters: np.ndarray, s: float
    ) -> None:
        self.parameters, kind = parameters, parameters.dtype.type
        self.numbers = kind(s), kind(networks.width**-0.5)
        self.points = self._prepare(problem.x, problem.y, networks)
        self.test_points = None
        if problem.x_test is not None and problem.y_test is not None:
            self.test_points = self._prepare(problem.x_test, problem.y_test, networks)
        self.evaluated = 0

    def _prepare(self, x: np.ndarray, y: np.ndarray, networks: TwoLayer) -> NamedTuple:
        """The points and the memory of a kernel."""
        points = Points(*points_and_targets(x, y, networks.inner), networks.inputs == 1)
        targets = points.targets(np.zeros((1, networks.inputs + 1)))[0]
        width = self.parameters.shape[1]
        return kernels.prepare_points(points.x, targets, np.zeros(width, np.int32), width)

    def evaluate(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss and its gradient, both for parameters in one row, [N]."""
        self.evaluated += 1
        loss, gradient = kernels.value_and_gradient(
            self.points, parameters.reshape(self.parameters.shape), *self.numbers
        )
        return loss, gradient.ravel()

    def train(self, evaluations: int, learning_rate: float, history_size: int) -> list[dict]:
        """Train, and return the rows of the history."""
        optimizer = self.optimizer(learning_rate, history_size)
        rows, seconds, steps, failures = [self.row(0, 0.0)], 0.0, 0, 0
        while self.evaluated < evaluations and math.isfinite(rows[-1]["loss"]) and failures < 2:
            started = time.perf_counter()
            iterations = ITERATIONS[min(len(rows), len(ITERATIONS)) - 1]
            remaining = evaluations - self.evaluated
            # A line search that fails at a kink must not use all remaining evaluations.
            most = min(remaining, iterations + SEARCH_EVALUATIONS)
            moved = optimizer.step(self.parameters.ravel(), iterations, most)
            if not np.array_equal(moved, self.parameters.ravel()):
                failures = 0
            else:
                # At a kink, the differences from its other side give a wrong direction.
                optimizer = self.optimizer(learning_rate, history_size)
                failures += 1
            self.parameters[:] = moved.reshape(self.parameters.shape)
            seconds += time.perf_counter() - started
            steps += iterations
            rows.append(self.row(steps, seconds))
        return rows

    def optimizer(self, learning_rate: float, history_size: int) -> Lbfgs:
        """An optimizer with an empty history."""
        size, dtype = self.parameters.size, self.parameters.dtype
        return Lbfgs(self.evaluate, size, dtype, learning_rate, history_size)

    def row(self, step: int, seconds: float) -> dict[str, float]:
        """A row of the history for the current parameters."""
        row = {"step": step, "evaluations": self.evaluated, "seconds": seconds}
        for name, points in (("loss", self.points), ("test_loss", self.test_points)):
            if points is not None:
                loss = kernels.value(points, self.parameters, *self.numbers)
                row[name] = loss if math.isfinite(loss) else math.inf
        return row


def _check(problem: Problem, networks: TwoLayer, s: float, progress: Progress | None) -> None:
    check_type(problem, Problem, "lbfgs: problem")
    check_type(networks, TwoLayer, "lbfgs: networks")
    if progress is not None and not callable(progress):
        raise ValueError(f"lbfgs: progress must be a function; it is {progress!r}")
    check_numbers(problem, "lbfgs")
    check_inputs(problem, networks, "lbfgs")
    check_homotopy_parameter(s, "lbfgs")
    kind = f"{networks.inner.dtype} on {networks.inner.device}"
    if kind not in ("torch.float32 on cpu", "torch.float64 on cpu"):
        raise ValueError(f"lbfgs: networks must be float32 or float64 on the CPU; they are {kind}")
