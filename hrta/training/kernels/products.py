"""Products of matrices in register tiles, and what is done with each sum before it is stored.

A tile is GROUP rows by V vectors of columns of the result,

    sum_t left[r, t] right[t, k],

with left[r, t] anywhere in memory at constant distances, so that left may be transposed.
"""

from collections.abc import Callable

from numba.core import cgutils, types
from numba.extending import intrinsic, overload

from hrta.runtime.compilation import OPTIONS
from hrta.training.kernels.actions import Actions
from hrta.training.kernels.vectors import GROUP, VECTOR_BYTES, arrays

TILE = 4  # vectors of columns in a tile; the remaining vectors are processed one at a time


def multiply(left, start, row_step, step, count, right, result, rows, action):
    """Compute `rows` rows of the result from left and right, and apply one of the actions to them.

    Args:
        left: any contiguous array; left[r, t] is its number start + r row_step + t step in memory.
        count: number of terms of each sum.
        right: [count or more, M], M a multiple of L.
        result: [rows or more, M].
        rows: a multiple of GROUP.
        action: one of the constants of `hrta.training.kernels.actions`.
    """
    raise NotImplementedError("compiled code only")


@overload(multiply, prefer_literal=True, jit_options=OPTIONS)
def _multiply(left, start, row_step, step, count, right, result, rows, action) -> Callable | None:
    if not isinstance(action, types.IntegerLiteral):
        return None
    chosen = action.literal_value
    lanes = VECTOR_BYTES // (right.dtype.bitwidth // 8)

    def compute(left, start, row_step, step, count, right, result, rows, action):
        width = right.shape[1]
        for row in range(0, rows, GROUP):
            place, k = start + row * row_step, 0
            while k + TILE * lanes <= width:
                _tile(left, place, row_step, step, count, right, result, row, k, TILE, chosen)
                k += TILE * lanes
            while k < width:
                _tile(left, place, row_step, step, count, right, result, row, k, 1, chosen)
                k += lanes

    return compute


@intrinsic(prefer_literal=True)
def _tile(_, left, start, row_step, step, count, right, result, row, column, vectors, action):
    """One tile of the result, at `row` and `column`."""
    if not (isinstance(vectors, types.IntegerLiteral) and isinstance(action, types.IntegerLiteral)):
        return None

    def generate(context, builder, signature, arguments):
        a, b, c = arrays(context, builder, signature, arguments, (0, 5, 6))
        start, row_step, step, count = arguments[1:5]
        row, column = arguments[7:9]
        lanes = Actions(context, builder, b)
        numbers = [lanes.index(v * lanes.lanes) for v in range(vectors.literal_value)]
        columns = [builder.add(column, number) for number in numbers]
        sums = [lanes.variables(len(columns)) for _ in range(GROUP)]
        starts = [start]
        for _ in range(GROUP - 1):
            starts.append(builder.add(starts[-1], row_step))
        with cgutils.for_range(builder, count) as loop:
            line = builder.mul(loop.index, b.shape[1])
            weights = [lanes.load(b, builder.add(line, each)) for each in columns]
            distance = builder.mul(loop.index, step)
            for first, row_sums in zip(starts, sums, strict=True):
                value = lanes.broadcast(a, builder.add(first, distance))
                for total, weight in zip(row_sums, weights, strict=True):
                    lanes.add_product(total, value, weight)
        for r, row_sums in enumerate(sums):
            line = builder.mul(builder.add(row, lanes.index(r)), c.shape[1])
            for total, each in zip(row_sums, columns, strict=True):
                place = builder.add(line, each)
                # LLVM removes the load for actions that do not need the old result.
                z, h = builder.load(total), lanes.load(c, place)
                lanes.store(lanes.act(action.literal_value, z, h), c, place)
        return context.get_dummy_value()

    integer = types.intp
    signature = types.void(
        *(left, integer, integer, integer, integer, right, result, integer, integer),
        *(vectors, action),
    )
    return signature, generate
