"""Several sums in one compiled loop, one for each row in a tuple.

The length of a tuple is known to the compiler, so these recursions are unrolled: one multiply-add
for each row, with all sums in registers. A loop over the rows of an array would load and store
every sum in each iteration.
"""

from collections.abc import Callable

from numba.extending import overload

from hrta.runtime.compilation import OPTIONS


def zeros(rows):
    """A tuple with a 0 for each row."""
    raise NotImplementedError("compiled code only")


def dot(weights, k, x, i):
    """w_k . (x_i, 1), with D rows of weights and d rows of points."""
    raise NotImplementedError("compiled code only")


def plus(sums, rows, i, factor):
    """The sums plus factor times entry i of each row."""
    raise NotImplementedError("compiled code only")


@overload(zeros, jit_options=OPTIONS)
def _zeros(rows) -> Callable:
    if len(rows) == 0:
        return lambda rows: ()
    return lambda rows: (rows[0].dtype.type(0), *zeros(rows[1:]))


@overload(dot, jit_options=OPTIONS)
def _dot(weights, k, x, i) -> Callable:
    if len(x) == 0:
        return lambda weights, k, x, i: weights[0][k]
    return lambda weights, k, x, i: weights[0][k] * x[0][i] + dot(weights[1:], k, x[1:], i)


@overload(plus, jit_options=OPTIONS)
def _plus(sums, rows, i, factor) -> Callable:
    if len(sums) == 0:
        return lambda sums, rows, i, factor: ()
    return lambda sums, rows, i, factor: (
        sums[0] + factor * rows[0][i],
        *plus(sums[1:], rows[1:], i, factor),
    )
