"""The two innermost loops of the numba engine, written for vector registers.

Compilers do not keep a tile of sums in registers over a loop by themselves; here the tiles are
spelt out as LLVM vectors of 64 bytes (L = 16 float32 or 8 float64), which LLVM maps on what the
processor has, AVX-512, AVX2 or NEON. In the forward pass the lanes are points. It keeps the pattern
P = 1[z > 0], one bit for each neuron and point, so that the backward pass, in which the lanes are
neurons, only has to add:

    columns     [D, n], a row for each input; n a multiple of L
    parameters  [D + 1, M], the outer weights in the last row; M a multiple of L
    patterns    [n / 32, M] uint32: bit i of word b is the pattern at point 32 b + i
    weighted    rho_ij = r_i x_ij / (n sqrt(m)) of GROUP inputs, [GROUP, n]; n a multiple of BYTE
    tables      [n / GROUP, GROUP, TABLE]: entry b of a group of points and an input is the sum of
                rho_ij over those points of the group whose bit in b is 1

With AVX-512, one addition takes the place of four: an instruction looks up L numbers in a table of
16, so four bits of a neuron's pattern select the sum over its active points in a group.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from hrta.training.kernels.vectors import (
    BYTE,
    GROUP,
    TABLE,
    VECTOR_BYTES,
    Array,
    Vectors,
    arrays,
    has_avx512,
)


@intrinsic(prefer_literal=True)
def forward_tile(_, columns, start, parameters, first, last, patterns, activity, vectors):
    """activity_i += sum_k a_k relu(z_ik), and the patterns, of some points and neurons.

    Args:
        columns, parameters, patterns: see above.
        start: the first point, a multiple of L.
        first, last: the range of neurons, multiples of L.
        activity: [n].
        vectors: number of vectors of points, a literal: 1, 2 or 4.
    """

    if not isinstance(vectors, types.IntegerLiteral):
        return None

    def generate(context, builder, signature, arguments):
        x, weights, masks, result = arrays(context, builder, signature, arguments, (0, 2, 5, 6))
        vector = Vectors(context, builder, weights)
        count = vectors.literal_value
        lines = [vector.plus(arguments[1], g * vector.lanes) for g in range(count)]
        neurons = arguments[3], arguments[4]
        together = min(count, vector.together)
        for g in range(0, count, together):
            _forward(vector, x, weights, masks, result, lines[g : g + together], neurons)
        return context.get_dummy_value()

    return (
        types.void(columns, start, parameters, first, last, patterns, activity, vectors),
        generate,
    )


def _forward(vector: Vectors, x, weights, masks, result, lines, neurons) -> None:
    """The forward pass of the points that begin at `lines`."""
    builder, index, count = vector.builder, vector.index, len(lines)
    width = weights.shape[1]
    bias = vector.plus(x.shape[0], -1)
    rows = [vector.bits_from(masks, line) for line in lines]
    together = min(vector.lanes, GROUP * vector.together // count)
    z = [vector.variables(count) for _ in range(together)]
    # Several sums, so that an addition need not wait for the one before.
    totals = vector.variables(vector.together)
    with cgutils.for_range_slice(builder, *neurons, index(together)) as (k, _):

        def weight(row, v):
            return vector.broadcast(
                weights, vector.plus(builder.add(builder.mul(row, width), k), v)
            )

        for v in range(together):
            for variable in z[v]:
                builder.store(weight(bias, v), variable)
        with cgutils.for_range(builder, bias) as loop:
            row = builder.mul(loop.index, x.shape[1])
            values = [vector.load(x, builder.add(row, line)) for line in lines]
            for v in range(together):
                inner = weight(loop.index, v)
                for variable, value in zip(z[v], values, strict=True):
                    vector.add_product(variable, value, inner)
        for v in range(together):
            outer = weight(x.shape[0], v)
            for g in range(count):
                value = builder.load(z[v][g])
                active = builder.fcmp_ordered(">", value, vector.zero)
                place = builder.gep(builder.gep(rows[g], [k]), [index(v)])
                vector.store_bits(active, place)
                total = totals[(v * count + g) % len(totals)]
                vector.add_product(total, outer, value, active)
    for g, line in enumerate(lines):
        total = vector.load(result, line)
        for variable in totals[g::count]:
            total = builder.fadd(total, builder.load(variable))
        vector.store(total, result, line)


@intrinsic
def lanes_of(_, values):
    """L, how many numbers of an array make a vector, as a constant."""

    def generate(context, builder, signature, arguments):
        size = context.get_abi_sizeof(context.get_data_type(values.dtype))
        return context.get_constant(types.intp, VECTOR_BYTES // size)

    return types.intp(values), generate


@intrinsic
def uses_tables(_):
    """Whether the backward pass reads the tables, instead of the weighted points."""

    def generate(context, builder, signature, arguments):
        return context.get_constant(types.boolean, has_avx512(context))

    return types.boolean(), generate


@intrinsic
def fill_tables(_, weighted, tables):
    """Write the sums over all parts of all groups of points."""

    def generate(context, builder, signature, arguments):
        rho, result = arrays(context, builder, signature, arguments, (0, 1))
        vector = Vectors(context, builder, result)
        index = vector.index
        with cgutils.for_range(builder, result.shape[0]) as loop:
            place = builder.mul(loop.index, index(GROUP * TABLE))
            for j in range(GROUP):
                point = builder.mul(loop.index, index(GROUP))
                point = builder.add(builder.mul(index(j), rho.shape[1]), point)
                values = [vector.broadcast(rho, vector.plus(point, i)) for i in range(GROUP)]
                for part in range(0, TABLE, vector.lanes):
                    sums = _sums_over_parts(vector, values, part)
                    vector.store(sums, result, vector.plus(place, j * TABLE + part))
        return context.get_dummy_value()

    return types.void(weighted, tables), generate


def _sums_over_parts(vector: Vectors, values: list[ir.Value], first: int) -> ir.Value:
    """The entries of a table from `first` on."""
    total = vector.zero
    for i, value in enumerate(values):
        bits = [entry >> i & 1 for entry in range(first, first + vector.lanes)]
        chosen = ir.Constant(ir.VectorType(ir.IntType(1), vector.lanes), bits)
        total = vector.builder.select(chosen, vector.builder.fadd(total, value), total)
    return total


@intrinsic(prefer_literal=True)
def backward_tile(_, patterns, first, weighted, tables, sums, column, vectors):
    """Write sums_jk = sum_i P_ik rho_ij of GROUP inputs and some neurons.

    Args:
        patterns: see the module.
        first: the first neuron, a multiple of L.
        weighted, tables: see the module; weighted is not read where tables are.
        sums: output, [GROUP, columns].
        column: the column of the first neuron in sums.
        vectors: number of vectors of neurons, a literal.
    """

    if not isinstance(vectors, types.IntegerLiteral):
        return None

    def generate(context, builder, signature, arguments):
        words, rho, table, result = arrays(context, builder, signature, arguments, (0, 2, 3, 4))
        vector = Vectors(context, builder, rho)
        count = vectors.literal_value
        together = min(count, vector.together)
        for v in range(0, count, together):
            first = vector.plus(arguments[1], v * vector.lanes)
            column = vector.plus(arguments[5], v * vector.lanes)
            _backward(vector, words, first, rho, table, result, column, together)
        return context.get_dummy_value()

    return types.void(patterns, first, weighted, tables, sums, column, vectors), generate


def _backward(vector: Vectors, words, first, rho, table, result, column, count) -> None:
    """The sums of a number of vectors of neurons."""
    builder, index = vector.builder, vector.index
    totals = [vector.variables(count) for _ in range(GROUP)]
    with cgutils.for_range(builder, builder.udiv(rho.shape[1], index(BYTE))) as loop:
        point = builder.mul(loop.index, index(BYTE))
        row = vector.bits_from(words, point)
        bits = [
            vector.load_integers(builder.gep(row, [vector.plus(first, v * vector.lanes)]))
            for v in range(count)
        ]
        if vector.avx512:
            _add_entries(vector, totals, bits, table, point)
        else:
            _add_active(vector, totals, bits, rho, point)
    for j in range(GROUP):
        place = builder.add(builder.mul(index(j), result.shape[1]), column)
        for v, total in enumerate(totals[j]):
            vector.store(builder.load(total), result, vector.plus(place, v * vector.lanes))


def _add_entries(vector: Vectors, totals, bits, table: Array, point) -> None:
    """Add the entries of the tables that the low bits select, for BYTE points."""
    shift = ir.Constant(vector.integers, [GROUP] * vector.lanes)
    for group in range(BYTE // GROUP):
        place = vector.builder.mul(point, vector.index(TABLE))
        place = vector.plus(place, group * GROUP * TABLE)
        vector.add_entries(totals, table, place, bits)
        bits = [vector.builder.lshr(chosen, shift) for chosen in bits]


def _add_active(vector: Vectors, totals, bits, rho: Array, point) -> None:
    """Add the weighted points where their bits are 1, for BYTE points."""
    builder, index = vector.builder, vector.index
    nothing = ir.Constant(vector.integers, [0] * vector.lanes)
    for i in range(BYTE):
        bit = ir.Constant(vector.integers, [1 << i] * vector.lanes)
        active = [builder.icmp_unsigned("!=", builder.and_(each, bit), nothing) for each in bits]
        for j in range(GROUP):
            place = builder.add(builder.mul(index(j), rho.shape[1]), point)
            value = vector.broadcast(rho, vector.plus(place, i))
            for v, total in enumerate(totals[j]):
                vector.add(total, value, active[v])
