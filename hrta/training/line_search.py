"""A line search for the strong Wolfe conditions: it tries the same steps as torch.optim.LBFGS.

Source: J. Nocedal and S. Wright, Numerical Optimization, 2nd ed. (2006), algorithms 3.5 and 3.6;
torch.optim.LBFGS.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# The loss must fall by this fraction of what the slope at the start promises ...
DECREASE = 1e-4
# ... and the slope must fall to this fraction.
CURVATURE = 0.9
# Change of a parameter at which the search ends.
SMALLEST_CHANGE = 1e-9


class Point(NamedTuple):
    """A point on the line.

    Attributes:
        step: its distance from the start, in units of the direction.
        loss: the loss, rounded to the dtype of the parameters.
        gradient: the gradient, [N].
        slope: the derivative of the loss along the direction, in the dtype of the parameters.
        parameters: [N].
    """

    step: float
    loss: float
    gradient: np.ndarray
    slope: np.floating
    parameters: np.ndarray


# At a step that is too long, the loss may overflow.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def strong_wolfe(
    evaluate: Callable[[float], Point], start: Point, step: float, size: float, evaluations: int
) -> tuple[Point, int]:
    """A point with lower loss and flatter slope; the start if there is none.

    Losses and slopes are compared in the dtype of the network, so that a fall of the loss below
    rounding does not fail.

    Args:
        evaluate: the point at a step.
        start: the point at step 0.
        step: the first step to try.
        size: the largest change of a parameter by a step of 1.
        evaluations: maximal number of evaluations after the first one.

    Returns:
        The point, and the number of evaluations.
    """
    before, here = start, evaluate(step)
    count = 0
    while count < evaluations:
        if _is_high(here, start) or (count > 1 and here.loss >= before.loss):
            break
        if _is_flat(here, start):
            return here, count + 1
        if here.slope >= 0:
            break
        longer = here.step + 0.01 * (here.step - before.step)
        step = _minimum_of_cubic(before, here, longer, here.step * 10)
        before, here = here, evaluate(step)
        count += 1
    else:
        before = start
    point, more = _zoom(evaluate, start, before, here, size, evaluations - count)
    return point, count + more + 1


def _zoom(
    evaluate: Callable[[float], Point],
    start: Point,
    first: Point,
    second: Point,
    size: float,
    evaluations: int,
) -> tuple[Point, int]:
    """The lowest point between two points; the search ends where the conditions hold."""
    low, high = (first, second) if first.loss <= second.loss else (second, first)
    near_end = False
    for count in range(evaluations):
        left, right = min(low.step, high.step), max(low.step, high.step)
        if (right - left) * size < SMALLEST_CHANGE:
            return low, count
        step = _minimum_of_cubic(low, high, left, right)
        # Steps near the ends of the interval do not shorten it: two in turn are not allowed.
        margin = 0.1 * (right - left)
        if min(right - step, step - left) < margin:
            if near_end or step >= right or step <= left:
                closer_to_right = abs(step - right) < abs(step - left)
                step = right - margin if closer_to_right else left + margin
                near_end = False
            else:
                near_end = True
        else:
            near_end = False
        here = evaluate(step)
        if _is_high(here, start) or here.loss >= low.loss:
            low, high = (low, here) if low.loss <= here.loss else (here, low)
        elif _is_flat(here, start):
            return here, count + 1
        else:
            if here.slope * (high.step - low.step) >= 0:
                high = low
            low = here
    return low, evaluations


def _is_high(point: Point, start: Point) -> bool:
    """Whether the loss has not fallen enough."""
    return bool(point.loss > start.loss + DECREASE * point.step * start.slope)


def _is_flat(point: Point, start: Point) -> bool:
    return abs(point.slope) <= -CURVATURE * start.slope


def _minimum_of_cubic(a: Point, b: Point, lowest: float, highest: float) -> float:
    """The step, within bounds, of the minimum of the cubic with the losses and slopes of a and b.

    The middle of the bounds if the cubic has no minimum or a loss is infinite.
    """
    if a.step > b.step:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.step - b.step)
    square = d1**2 - a.slope * b.slope
    d2 = np.sqrt(square)
    step = b.step - (b.step - a.step) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return (lowest + highest) / 2 if np.isnan(step) else min(max(step, lowest), highest)
