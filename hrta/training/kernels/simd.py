"""The two innermost loops of the numba engine, written for vector registers.

Compilers do not keep a tile of sums in registers over a loop by themselves; here the tiles are
spelt out as LLVM vectors of 64 bytes (L = 16 float32 or 8 float64 neurons), which LLVM maps on what
the processor has, AVX-512, AVX2 or NEON. The pattern P = 1[z > 0] of the forward pass is kept, one
bit for each neuron and point, so the backward pass has only to add. A tile is V vectors of neurons
by GROUP points (forward) or GROUP inputs (backward):

    parameters  [D + 1, M], the outer weights in the last row; M a multiple of L
    points      [n / GROUP, D, GROUP]: points side by side, n padded with zeros
    weighted    [D / GROUP, n, GROUP]: rho_ij = r_i x_ij / (n sqrt(m)), inputs side by side
    patterns    flat, L bits each; those of a tile are [n, V] from n V' on, V' vectors before it
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

GROUP = 4
VECTOR_BYTES = 64


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
        weights, x, masks, sums = _arrays(context, builder, signature, arguments, (0, 2, 3, 4))
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
        weights, rho, masks, result = _arrays(context, builder, signature, arguments, (0, 2, 3, 4))
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
        (rows,) = _arrays(context, builder, signature, arguments, (0,))
        tile = _Tile(builder, rows, arguments[1], 1)
        total = tile.load(tile.at(rows, builder.mul(tile.first, tile.index(tile.lanes))))
        lanes = tile.lanes
        while lanes > 1:
            lanes //= 2
            low, high = (tile.part(total, start, lanes) for start in (0, lanes))
            total = builder.fadd(low, high)
        return builder.extract_element(total, ir.IntType(32)(0))

    return activity.dtype(activity, row), generate


class _Array:
    """Pointer and shape of a contiguous array."""

    def __init__(self, context, builder, kind, value) -> None:
        struct = context.make_array(kind)(context, builder, value)
        self.data = struct.data
        self.shape = cgutils.unpack_tuple(builder, struct.shape, kind.ndim)


def _arrays(context, builder, signature, arguments, positions) -> list[_Array]:
    return [_Array(context, builder, signature.args[i], arguments[i]) for i in positions]


class _Tile:
    """Operations on V vectors of neurons; `first` is the first neuron."""

    def __init__(self, builder: ir.IRBuilder, weights: _Array, first, vectors: int) -> None:
        self.builder, self.parameters, self.first, self.vectors = builder, weights, first, vectors
        scalar = weights.data.type.pointee
        self.lanes = VECTOR_BYTES // (8 if isinstance(scalar, ir.DoubleType) else 4)
        self.index = first.type
        self.vector = ir.VectorType(scalar, self.lanes)
        self.zero = ir.Constant(self.vector, [0.0] * self.lanes)

    def variables(self, start: list[ir.Value]) -> list[list[ir.Value]]:
        """GROUP x V vector variables, initially `start`; LLVM keeps them in registers."""
        return [
            [cgutils.alloca_once_value(self.builder, vector) for vector in start]
            for _ in range(GROUP)
        ]

    def at(self, array: _Array, place: ir.Value) -> ir.Value:
        return self.builder.gep(array.data, [place])

    def load(self, pointer: ir.Value) -> ir.Value:
        vector = self.builder.bitcast(pointer, self.vector.as_pointer())
        return self.builder.load(vector, align=VECTOR_BYTES // self.lanes)

    def store(self, value: ir.Value, pointer: ir.Value) -> None:
        vector = self.builder.bitcast(pointer, self.vector.as_pointer())
        self.builder.store(value, vector, align=VECTOR_BYTES // self.lanes)

    def weights(self, row: ir.Value, number: int) -> ir.Value:
        """The vector with index `number` of the tile in a row of the parameters."""
        start = self.builder.mul(row, self.parameters.shape[1])
        place = self.builder.add(start, self.first)
        place = self.builder.add(place, self.index(number * self.lanes))
        return self.load(self.at(self.parameters, place))

    def broadcast(self, array: _Array, place: ir.Value) -> ir.Value:
        """One number in every lane."""
        scalar = self.builder.load(self.at(array, place))
        undefined = ir.Constant(self.vector, ir.Undefined)
        single = self.builder.insert_element(undefined, scalar, ir.IntType(32)(0))
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(single, undefined, lanes)

    def part(self, vector: ir.Value, start: int, lanes: int) -> ir.Value:
        """The lanes from `start` of a vector; `lanes` is their number."""
        kind = ir.VectorType(ir.IntType(32), lanes)
        chosen = ir.Constant(kind, list(range(start, start + lanes)))
        return self.builder.shuffle_vector(vector, vector, chosen)

    def multiply_add(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        product = self.builder.fmul(x, y, flags=("contract",))
        return self.builder.fadd(product, z, flags=("contract",))

    def add_product(self, variable: ir.Value, x: ir.Value, y: ir.Value) -> None:
        self.builder.store(self.multiply_add(x, y, self.builder.load(variable)), variable)

    def add_where(self, variable: ir.Value, active: ir.Value, x: ir.Value) -> None:
        before = self.builder.load(variable)
        after = self.builder.select(active, self.builder.fadd(before, x), before)
        self.builder.store(after, variable)

    def store_mask(self, masks: _Array, place: ir.Value, active: ir.Value) -> None:
        bits = self.builder.bitcast(active, ir.IntType(self.lanes))
        self.builder.store(bits, self._mask_at(masks, place))

    def load_mask(self, masks: _Array, place: ir.Value) -> ir.Value:
        bits = self.builder.load(self._mask_at(masks, place))
        return self.builder.bitcast(bits, ir.VectorType(ir.IntType(1), self.lanes))

    def _mask_at(self, masks: _Array, place: ir.Value) -> ir.Value:
        byte = self.builder.mul(place, self.index(self.lanes // 8))
        return self.builder.bitcast(self.at(masks, byte), ir.IntType(self.lanes).as_pointer())
