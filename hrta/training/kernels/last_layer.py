"""The last, linear layer of a network with one output, for GROUP points at a time."""

from numba.core import types
from numba.extending import intrinsic

from hrta.training.kernels.actions import Actions
from hrta.training.kernels.vectors import GROUP, arrays


@intrinsic
def outputs(_, outer, hidden, row, values):
    """Write values_i = sum_k a_k h_ik for the points i = row .. row + GROUP - 1.

    Args:
        outer: a, [M], M a multiple of L.
        hidden: h, [n, M].
        row: the first point.
        values: output, [row + GROUP or more].
    """

    def generate(context, builder, signature, arguments):
        a, h, result = arrays(context, builder, signature, arguments, (0, 1, 3))
        vectors = Actions(context, builder, a)
        points = [builder.add(arguments[2], vectors.index(i)) for i in range(GROUP)]
        starts = [builder.mul(point, h.shape[1]) for point in points]
        sums = vectors.variables(GROUP)
        with vectors.loop(a.shape[0]) as k:
            weight = vectors.load(a, k)
            for start, total in zip(starts, sums, strict=True):
                vectors.add_product(total, weight, vectors.load(h, builder.add(start, k)))
        for point, total in zip(points, sums, strict=True):
            place = builder.gep(result.data, [point])
            builder.store(vectors.total(builder.load(total)), place)
        return context.get_dummy_value()

    return types.void(outer, hidden, types.intp, values), generate


@intrinsic(prefer_literal=True)
def outputs_back(_, changes, outer, hidden, row, gradient, action):
    """Add to the gradient of the outer weights, and replace h by q = a c sigma'(z).

    Args:
        changes: c_i, the derivative with respect to the value at point i, [row + GROUP or more].
        outer, hidden, row: as for `outputs`.
        gradient: sum_i c_i h_ik, [M].
        action: TANH_BACK or RELU_BACK.
    """
    if not isinstance(action, types.IntegerLiteral):
        return None

    def generate(context, builder, signature, arguments):
        c, a, h, target = arrays(context, builder, signature, arguments, (0, 1, 2, 4))
        vectors = Actions(context, builder, a)
        points = [builder.add(arguments[3], vectors.index(i)) for i in range(GROUP)]
        starts = [builder.mul(point, h.shape[1]) for point in points]
        changes = [vectors.broadcast(c, point) for point in points]
        with vectors.loop(a.shape[0]) as k:
            weight, total = vectors.load(a, k), vectors.load(target, k)
            for start, change in zip(starts, changes, strict=True):
                place = builder.add(start, k)
                hidden = vectors.load(h, place)
                total = vectors.multiply_add(change, hidden, total)
                z = builder.fmul(weight, change)
                vectors.store(vectors.act(action.literal_value, z, hidden), h, place)
            vectors.store(total, target, k)
        return context.get_dummy_value()

    return types.void(changes, outer, hidden, types.intp, gradient, action), generate
