"""Limited-memory BFGS with a strong-Wolfe line search.

The iterations are those of torch.optim.LBFGS, up to rounding. For networks of a few thousand
weights torch takes ten times longer: it calls some hundred operations on small tensors for each.

Source: D. Liu and J. Nocedal, On the limited memory BFGS method for large scale optimization, Math.
Program. 45:503-528 (1989); torch.optim.LBFGS.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from hrta.training.kernels.lbfgs import Pairs, next_direction
from hrta.training.line_search import Point, strong_wolfe


class Lbfgs:
    """Minimisation of a function of N parameters, beginning with an empty history.

    Args:
        evaluate: the loss, rounded to the dtype of the parameters, and the gradient [N] at [N].
        size: N.
        dtype: of the parameters.
        learning_rate: the initial step length of a line search (at the first iteration at most
            learning_rate / |g|_1).
        history_size: maximal number of pairs of differences.
    """

    def __init__(
        self,
        evaluate: Callable[[np.ndarray], tuple[float, np.ndarray]],
        size: int,
        dtype: np.dtype,
        learning_rate: float,
        history_size: int,
    ) -> None:
        self._evaluate, self._learning_rate = evaluate, learning_rate
        steps, changes = np.empty((2, history_size, size), dtype)
        self._pairs = Pairs(steps, changes, np.empty(history_size, dtype))
        self._count, self._scale = 0, dtype.type(1)
        self._moved = np.zeros(size, dtype)
        self._gradient_before: np.ndarray | None = None

    def step(self, parameters: np.ndarray, iterations: int, evaluations: int) -> np.ndarray:
        """The parameters after several iterations.

        As a call of torch.optim.LBFGS.step, it begins with an evaluation.

        Args:
            parameters: where to start; from the second call on, what the last one returned.
            iterations: maximal number of iterations.
            evaluations: maximal number of evaluations; the last line search may exceed it by one.
        """
        here = Point(0.0, *self._evaluate(parameters), np.float64(np.nan), parameters)
        evaluated = 1
        for _ in range(iterations):
            if not here.gradient.any():
                break
            direction, first_step = self._direction(here.gradient)
            here = here._replace(step=0.0, slope=np.vdot(here.gradient, direction))
            if here.slope > 0:
                break
            at = partial(self._at, here.parameters, direction)
            size = np.abs(direction).max()
            here, count = strong_wolfe(at, here, first_step, size, evaluations - evaluated)
            self._moved = here.step * direction
            evaluated += count
            if evaluated >= evaluations or here.step * size == 0:
                break
        return here.parameters

    def _direction(self, gradient: np.ndarray) -> tuple[np.ndarray, float]:
        """The direction of a line search and the first step to try."""
        before = self._gradient_before
        change = np.zeros_like(gradient) if before is None else gradient - before
        direction, self._count, self._scale = next_direction(
            self._pairs, self._count, self._scale, self._moved, change, gradient
        )
        self._gradient_before = gradient
        if before is None:
            return direction, min(1.0, 1.0 / np.abs(gradient).sum()) * self._learning_rate
        return direction, self._learning_rate

    def _at(self, parameters: np.ndarray, direction: np.ndarray, step: float) -> Point:
        """The point at a step along the direction."""
        there = parameters + step * direction
        loss, gradient = self._evaluate(there)
        return Point(step, loss, gradient, np.vdot(gradient, direction), there)
