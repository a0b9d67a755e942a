"""The sums over pairs of a neuron and a point of the Deep Ritz method, for vector registers.

Compilers do not keep several vectors of sums in registers over a loop by themselves; here the loops
are spelt out as LLVM instructions. Sums over neurons have L points in the lanes of a vector, sums
over points have L neurons. The former store the pattern 1[z_ik > 0], one bit for each pair, so the
latter need no z. Arrays, with n and M multiples of L:

    x         d arrays [n]
    inner     w_lk, [D or more, m]
    products  a_k w_lk, [D, m]
    patterns  [n / 32, M] uint32, M >= m: bit i of word b is the pattern at point 32 b + i
    tables    [n / 4, K, 16]: entry e is the sum over those points of a group of 4 whose bit in e
              is 1; K = D (D + 1) / 2

With AVX-512 the four additions of a group are one: an instruction looks up L entries in a table.
Other processors add the entries with one bit one after the other.
"""

from functools import partial

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from hrta.training.kernels.vectors import GROUP, TABLE, WORD, Array, Vectors, arrays

# Vectors of sums in a tile, with a look-up (AVX-512 has 32 registers of 64 bytes) and without (AVX2
# has 16 of 32 bytes). With more vectors each loaded number is used more often.
SUMS_OVER_NEURONS = {True: 12, False: 4}
SUMS_OVER_POINTS = {True: 24, False: 6}


@intrinsic
def sums_over_neurons(_, x, inner, products, patterns, sums):
    """Write the patterns and sums_li = sum_k a_k w_lk relu(z_ik), [D, n]."""
    inputs = len(x)

    def generate(context, builder, signature, arguments):
        rows = arrays(context, builder, signature, arguments, (1, 2))
        words, result = arrays(context, builder, signature, arguments, (3, 4))
        columns = [
            Array(context, builder, signature.args[0].dtype, column)
            for column in cgutils.unpack_tuple(builder, arguments[0], inputs)
        ]
        vector = Vectors(context, builder, result)

        def tile(lines):
            _tile_of_points(vector, columns, rows, words, result, lines)

        most = SUMS_OVER_NEURONS[vector.avx512] // (inputs + 1)
        _tiles(vector, result.shape[1], max(most, 1), tile)
        return context.get_dummy_value()

    return types.void(x, inner, products, patterns, sums), generate


def _tile_of_points(vector, columns, rows, words, result, lines) -> None:
    """The sums of V vectors of points, which start at `lines`."""
    builder, index = vector.builder, vector.index
    inputs, width = len(columns), rows[0].shape[1]
    x = [[vector.load(column, line) for column in columns] for line in lines]
    totals = [vector.variables(inputs + 1) for _ in lines]
    with cgutils.for_range(builder, width) as loop:
        places = [
            builder.add(builder.mul(index(row), width), loop.index) for row in range(inputs + 1)
        ]
        weights, products = ([vector.broadcast(array, at) for at in places] for array in rows)
        for g, line in enumerate(lines):
            z = weights[inputs]
            for j in range(inputs):
                z = vector.multiply_add(x[g][j], weights[j], z)
            active = builder.fcmp_ordered(">", z, vector.zero)
            place = builder.gep(vector.bits_from(words, line), [loop.index])
            vector.store_bits(active, place)
            relu = builder.select(active, z, vector.zero)
            for total, product in zip(totals[g], products, strict=True):
                vector.add_product(total, relu, product)
    for line, each in zip(lines, totals, strict=True):
        for row, total in enumerate(each):
            place = builder.add(builder.mul(index(row), result.shape[1]), line)
            vector.store(builder.load(total), result, place)


@intrinsic
def sums_over_points(_, moments, patterns, tables, sums):
    """Write sums_jk = sum_i 1[z_ik > 0] moment_ij, [K, M], from the tables of the moments.

    Of the moments, K arrays, only the number is used.
    """
    rows = len(moments)

    def generate(context, builder, signature, arguments):
        words, table, result = arrays(context, builder, signature, arguments, (1, 2, 3))
        vector = Vectors(context, builder, table)
        add = vector.add_entries if vector.avx512 else partial(_add_one_by_one, vector)

        def tile(lines):
            _tile_of_neurons(vector, words, table, result, lines, rows, add)

        most = SUMS_OVER_POINTS[vector.avx512] // rows
        _tiles(vector, result.shape[1], max(most, 1), tile)
        return context.get_dummy_value()

    return types.void(moments, patterns, tables, sums), generate


def _tile_of_neurons(vector, words, table, result, lines, rows, add) -> None:
    """The sums of V vectors of neurons, which start at `lines`."""
    builder, index = vector.builder, vector.index
    totals = [vector.variables(rows) for _ in lines]
    bits = [vector.variable(vector.integers) for _ in lines]
    groups, per_word = table.shape[0], index(WORD // GROUP)
    with cgutils.for_range_slice(builder, index(0), groups, per_word) as (first, _):
        row = builder.mul(builder.udiv(first, per_word), words.shape[1])
        for variable, line in zip(bits, lines, strict=True):
            place = builder.gep(words.data, [builder.add(row, line)])
            builder.store(vector.load_integers(place), variable)
        left = builder.sub(groups, first)
        left = builder.select(builder.icmp_signed("<", left, per_word), left, per_word)
        with cgutils.for_range(builder, left) as loop:
            place = builder.mul(builder.add(first, loop.index), index(rows * TABLE))
            chosen = [builder.load(variable) for variable in bits]
            add(list(zip(*totals, strict=True)), table, place, chosen)
            shift = ir.Constant(vector.integers, [GROUP] * vector.lanes)
            for variable, before in zip(bits, chosen, strict=True):
                builder.store(builder.lshr(before, shift), variable)
    for line, each in zip(lines, totals, strict=True):
        for j, total in enumerate(each):
            place = builder.add(builder.mul(index(j), result.shape[1]), line)
            vector.store(builder.load(total), result, place)


def _add_one_by_one(vector: Vectors, totals, table: Array, place, chosen) -> None:
    """As `Vectors.add_entries`, from the entries with one bit."""
    builder, index = vector.builder, vector.index
    nothing = ir.Constant(vector.integers, [0] * vector.lanes)
    for i in range(GROUP):
        bit = ir.Constant(vector.integers, [1 << i] * vector.lanes)
        for each, bits in zip(zip(*totals, strict=True), chosen, strict=True):
            active = builder.icmp_unsigned("!=", builder.and_(bits, bit), nothing)
            for j, total in enumerate(each):
                value = vector.broadcast(table, builder.add(place, index(j * TABLE + (1 << i))))
                value = builder.select(active, value, vector.zero)
                builder.store(builder.fadd(builder.load(total), value), total)


def _tiles(vector: Vectors, size, most: int, tile) -> None:
    """Call tile with the starts of `most` vectors at a time, and of single vectors at the end."""
    builder, index = vector.builder, vector.index
    step = index(most * vector.lanes)
    whole = builder.mul(builder.udiv(size, step), step)
    with cgutils.for_range_slice(builder, index(0), whole, step) as (start, _):
        tile([builder.add(start, index(v * vector.lanes)) for v in range(most)])
    with cgutils.for_range_slice(builder, whole, size, index(vector.lanes)) as (start, _):
        tile([start])
