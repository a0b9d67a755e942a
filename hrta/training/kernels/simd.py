"""The two innermost loops of the numba engine, written for vector registers.

The pattern P = 1[z > 0] of the forward pass is kept, one bit for each neuron and point, so the
backward pass has only to add. A tile is V vectors of L neurons (`hrta.training.kernels.vectors`) by
GROUP points (forward) or GROUP inputs (backward):

    parameters  [D + 1, M], the outer weights in the last row; M a multiple of L
    points      [n / GROUP, D, GROUP]: points side by side, n padded with zeros
    weighted    [D / GROUP, n, GROUP]: rho_ij = r_i x_ij / (n sqrt(m)), inputs side by side
    patterns    flat, L bits each; those of a tile are [n, V] from n V' on, V' vectors before it
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from hrta.training.kernels.vectors import GROUP, Array, Vectors, arrays


@intrinsic(prefer_literal=True)
def forward_tile(_, parameters, first, points, patterns, activity, vectors):
    """activity_i += sum_k a_k relu(z_ik), lane by lane, and the patterns of one tile of neurons.

    Args:
        parameters, points, patterns: see above.
        first: the tile's first neuron, a multiple of L.
        activity: [n, L].
        vectors: V, a literal.
    """

    if not isinstance(vectors, types.IntegerLiteral):
        return None

    def generate(context, builder, signature, arguments):
        weights, x, masks, sums = arrays(context, builder, signature, arguments, (0, 2, 3, 4))
        groups, inputs, _ = x.shape
        tile = _Tile(builder, weights, arguments[1], vectors.literal_value)
        masks_start = builder.mul(tile.first, builder.mul(groups, tile.index(GROUP)))
        masks_start = builder.sdiv(masks_start, tile.index(tile.lanes))
        weighted_inputs = builder.sub(inputs, tile.index(1))
        bias = [tile.weights(weighted_inputs, v) for v in range(tile.vectors)]
        outer = [tile.weights(inputs, v) for v in range(tile.vectors)]
        with cgutils.for_range(builder, groups) as loop:
            z = tile.variables(bias)
            row = builder.mul(loop.index, inputs)
            with cgutils.for_range(builder, weighted_inputs) as input_loop:
                inner = [tile.weights(input_loop.index, v) for v in range(tile.vectors)]
                place = builder.mul(builder.add(row, input_loop.index), tile.index(GROUP))
                for i in range(GROUP):
                    value = tile.broadcast(x, builder.add(place, tile.index(i)))
                    for v in range(tile.vectors):
                        tile.add_product(z[i][v], value, inner[v])
            for i in range(GROUP):
                point = builder.add(builder.mul(loop.index, tile.index(GROUP)), tile.index(i))
                place = tile.at(sums, builder.mul(point, tile.index(tile.lanes)))
                mask = builder.add(masks_start, builder.mul(point, tile.index(tile.vectors)))
                total = tile.load(place)
                for v in range(tile.vectors):
                    value = builder.load(z[i][v])
                    active = builder.fcmp_ordered(">", value, tile.zero)
                    tile.store_mask(masks, builder.add(mask, tile.index(v)), active)
                    more = tile.multiply_add(outer[v], value, total)
                    total = builder.select(active, more, total)
                tile.store(total, place)
        return context.get_dummy_value()

    return types.void(parameters, first, points, patterns, activity, vectors), generate


@intrinsic(prefer_literal=True)
def backward_tile(_, parameters, first, weighted, patterns, sums, column, vectors):
    """Write sums_jk = sum_i P_ik rho_ij for one tile of neurons.

    Args:
        parameters, weighted, patterns: see the module.
        first: the tile's first neuron, a multiple of L.
        sums: output, [D or more, columns].
        column: the first column of the tile in sums.
        vectors: V, a literal.
    """

    if not isinstance(vectors, types.IntegerLiteral):
        return None

    def generate(context, builder, signature, arguments):
        weights, rho, masks, result = arrays(context, builder, signature, arguments, (0, 2, 3, 4))
        groups, points, _ = rho.shape
        tile = _Tile(builder, weights, arguments[1], vectors.literal_value)
        masks_start = builder.sdiv(builder.mul(tile.first, points), tile.index(tile.lanes))
        with cgutils.for_range(builder, groups) as loop:
            totals = tile.variables([tile.zero] * tile.vectors)
            row = builder.mul(loop.index, points)
            with cgutils.for_range(builder, points) as point_loop:
                mask = builder.mul(point_loop.index, tile.index(tile.vectors))
                mask = builder.add(masks_start, mask)
                active = [
                    tile.load_mask(masks, builder.add(mask, tile.index(v)))
                    for v in range(tile.vectors)
                ]
                place = builder.mul(builder.add(row, point_loop.index), tile.index(GROUP))
                for j in range(GROUP):
                    value = tile.broadcast(rho, builder.add(place, tile.index(j)))
                    for v in range(tile.vectors):
                        tile.add_where(totals[j][v], active[v], value)
            for j in range(GROUP):
                line = builder.add(builder.mul(loop.index, tile.index(GROUP)), tile.index(j))
                start = builder.add(builder.mul(line, result.shape[1]), arguments[5])
                for v in range(tile.vectors):
                    place = builder.add(start, tile.index(v * tile.lanes))
                    tile.store(builder.load(totals[j][v]), tile.at(result, place))
        return context.get_dummy_value()

    return (
        types.void(parameters, first, weighted, patterns, sums, column, vectors),
        generate,
    )


@intrinsic
def sum_of_lanes(_, activity, row):
    """The sum of a row of [n, L]."""

    def generate(context, builder, signature, arguments):
        (rows,) = arrays(context, builder, signature, arguments, (0,))
        tile = _Tile(builder, rows, arguments[1], 1)
        total = tile.load(tile.at(rows, builder.mul(tile.first, tile.index(tile.lanes))))
        return tile.total(total)

    return activity.dtype(activity, row), generate


class _Tile(Vectors):
    """V vectors of neurons; `first` is the first neuron."""

    def __init__(self, builder: ir.IRBuilder, weights: Array, first, vectors: int) -> None:
        super().__init__(builder, weights.data.type.pointee, first.type)
        self.parameters, self.first, self.vectors = weights, first, vectors

    def weights(self, row: ir.Value, number: int) -> ir.Value:
        """The vector with index `number` of the tile in a row of the parameters."""
        start = self.builder.mul(row, self.parameters.shape[1])
        place = self.builder.add(start, self.first)
        place = self.builder.add(place, self.index(number * self.lanes))
        return self.load(self.at(self.parameters, place))

    def add_where(self, variable: ir.Value, active: ir.Value, x: ir.Value) -> None:
        before = self.builder.load(variable)
        after = self.builder.select(active, self.builder.fadd(before, x), before)
        self.builder.store(after, variable)

    def store_mask(self, masks: Array, place: ir.Value, active: ir.Value) -> None:
        bits = self.builder.bitcast(active, ir.IntType(self.lanes))
        self.builder.store(bits, self._mask_at(masks, place))

    def load_mask(self, masks: Array, place: ir.Value) -> ir.Value:
        bits = self.builder.load(self._mask_at(masks, place))
        return self.builder.bitcast(bits, ir.VectorType(ir.IntType(1), self.lanes))

    def _mask_at(self, masks: Array, place: ir.Value) -> ir.Value:
        byte = self.builder.mul(place, self.index(self.lanes // 8))
        return self.builder.bitcast(self.at(masks, byte), ir.IntType(self.lanes).as_pointer())
