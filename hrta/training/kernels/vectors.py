"""Operations on LLVM vectors of 64 bytes, which LLVM maps on the registers of the processor."""

from llvmlite import ir
from numba.core import cgutils

VECTOR_BYTES = 64
GROUP = 4  # points, or rows of a matrix, that are processed together
TABLE = 1 << GROUP  # entries of a table of the sums over all parts of a group
BYTE, WORD = 8, 32  # points in a byte and in a word of a pattern


class Array:
    """Pointer and shape of a contiguous array."""

    def __init__(self, context, builder, kind, value) -> None:
        struct = context.make_array(kind)(context, builder, value)
        self.data = struct.data
        self.shape = cgutils.unpack_tuple(builder, struct.shape, kind.ndim)


def arrays(context, builder, signature, arguments, positions) -> list[Array]:
    """The arguments of an intrinsic at these positions."""
    return [Array(context, builder, signature.args[i], arguments[i]) for i in positions]


def has_avx512(context) -> bool:
    """Whether the processor for which numba compiles has AVX-512."""
    _, _, features = context.codegen().magic_tuple()
    return "+avx512f" in features.split(",")


class Vectors:
    """Operations on vectors of L numbers of the type in an array.

    Attributes:
        avx512: whether there are 32 registers of 64 bytes, operations with masks, and `look_up`.
        together: how many vectors to combine with four others; the sums must fit the registers.
        lanes: L.
        integers: the type of vectors of L integers, of the size of the numbers.
    """

    def __init__(self, context, builder: ir.IRBuilder, array: Array) -> None:
        self.builder = builder
        self.avx512 = has_avx512(context)
        self.together = 4 if self.avx512 else 1
        self.index = array.shape[0].type
        self.scalar = array.data.type.pointee
        size = 8 if isinstance(self.scalar, ir.DoubleType) else 4
        self.lanes = VECTOR_BYTES // size
        self.kind = ir.VectorType(self.scalar, self.lanes)
        self.integers = ir.VectorType(ir.IntType(8 * size), self.lanes)
        self.zero = ir.Constant(self.kind, [0.0] * self.lanes)

    def plus(self, place: ir.Value, number: int) -> ir.Value:
        """An index plus a constant."""
        return self.builder.add(place, self.index(number))

    def variable(self, kind: ir.VectorType) -> ir.Value:
        """An uninitialised variable; LLVM keeps it in a register."""
        return cgutils.alloca_once(self.builder, kind)

    def variables(self, count: int) -> list[ir.Value]:
        """Variables with zeros."""
        made = [self.variable(self.kind) for _ in range(count)]
        for variable in made:
            self.builder.store(self.zero, variable)
        return made

    def load(self, array: Array, place: ir.Value) -> ir.Value:
        """L numbers from a flat index on."""
        pointer = self.builder.gep(array.data, [place])
        pointer = self.builder.bitcast(pointer, self.kind.as_pointer())
        return self.builder.load(pointer, align=VECTOR_BYTES // self.lanes)

    def load_integers(self, pointer: ir.Value) -> ir.Value:
        """L integers of 32 bits from any byte on, extended to the size of the numbers."""
        kind = ir.VectorType(ir.IntType(32), self.lanes)
        loaded = self.builder.load(self.builder.bitcast(pointer, kind.as_pointer()), align=1)
        return loaded if kind == self.integers else self.builder.zext(loaded, self.integers)

    def store(self, value: ir.Value, array: Array, place: ir.Value) -> None:
        """L numbers, from a flat index on."""
        pointer = self.builder.gep(array.data, [place])
        pointer = self.builder.bitcast(pointer, self.kind.as_pointer())
        self.builder.store(value, pointer, align=VECTOR_BYTES // self.lanes)

    def broadcast(self, array: Array, place: ir.Value) -> ir.Value:
        """One number in every lane."""
        number = self.builder.load(self.builder.gep(array.data, [place]))
        undefined = ir.Constant(self.kind, ir.Undefined)
        single = self.builder.insert_element(undefined, number, ir.IntType(32)(0))
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(single, undefined, lanes)

    def multiply_add(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        """x y + z."""
        product = self.builder.fmul(x, y, flags=("contract",))
        return self.builder.fadd(product, z, flags=("contract",))

    def add_product(self, variable: ir.Value, x, y, active: ir.Value | None = None) -> None:
        """Add x y to a variable, where active."""
        if active is not None and not self.avx512:
            y = self.builder.select(active, y, self.zero)
        before = self.builder.load(variable)
        after = self.multiply_add(x, y, before)
        if active is not None and self.avx512:
            after = self.builder.select(active, after, before)
        self.builder.store(after, variable)

    def add(self, variable: ir.Value, x: ir.Value, active: ir.Value) -> None:
        """Add x to a variable where active."""
        more = self.builder.select(active, x, self.zero)
        self.builder.store(self.builder.fadd(self.builder.load(variable), more), variable)

    def store_bits(self, active: ir.Value, pointer: ir.Value) -> None:
        """One bit for each lane."""
        bits = self.builder.bitcast(active, ir.IntType(self.lanes))
        pointer = self.builder.bitcast(pointer, bits.type.as_pointer())
        self.builder.store(bits, pointer, align=1)

    def bits_from(self, patterns: Array, point: ir.Value) -> ir.Value:
        """Where the bits of the first neuron from this point on are; those of the next, a word on.

        Args:
            patterns: [n / WORD, M] uint32: bit i of word b is the pattern at point WORD b + i.
            point: a multiple of BYTE.
        """
        builder, index = self.builder, self.index
        word = builder.mul(builder.udiv(point, index(WORD)), patterns.shape[1])
        byte = builder.udiv(builder.urem(point, index(WORD)), index(BYTE))
        place = builder.bitcast(builder.gep(patterns.data, [word]), ir.IntType(8).as_pointer())
        return builder.bitcast(builder.gep(place, [byte]), patterns.data.type)

    def add_entries(self, totals, table: Array, place: ir.Value, chosen: list[ir.Value]) -> None:
        """Add the entries that the low bits select in one table after another; AVX-512 only.

        Args:
            totals: variables, for each table one for each vector of bits.
            table: tables of TABLE numbers.
            place: where the first table begins.
            chosen: the bits, as in `look_up`.
        """
        for j, sums in enumerate(totals):
            parts = [
                self.load(table, self.plus(place, j * TABLE + part))
                for part in range(0, TABLE, self.lanes)
            ]
            for total, bits in zip(sums, chosen, strict=True):
                entries = self.look_up(parts, bits)
                self.builder.store(self.builder.fadd(self.builder.load(total), entries), total)

    def look_up(self, table: list[ir.Value], chosen: ir.Value) -> ir.Value:
        """The entries of a table at the low 4 bits; AVX-512 only.

        Args:
            table: 16 numbers, in one or two vectors.
            chosen: L integers; their other bits are ignored.
        """
        if len(table) == 1:
            name, arguments = "llvm.x86.avx512.permvar.sf.512", [table[0], chosen]
        else:
            name, arguments = "llvm.x86.avx512.vpermi2var.pd.512", [table[0], chosen, table[1]]
        kind = ir.FunctionType(self.kind, [argument.type for argument in arguments])
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, arguments)
