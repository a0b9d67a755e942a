"""Operations on LLVM vectors of 64 bytes, which LLVM maps on the registers of the processor."""

from llvmlite import ir
from numba.core import cgutils

GROUP = 4
VECTOR_BYTES = 64


class Array:
    """Pointer and shape of a contiguous array."""

    def __init__(self, context, builder, kind, value) -> None:
        struct = context.make_array(kind)(context, builder, value)
        self.data = struct.data
        self.shape = cgutils.unpack_tuple(builder, struct.shape, kind.ndim)


def arrays(context, builder, signature, arguments, positions) -> list[Array]:
    """The arguments at these positions, which are arrays."""
    return [Array(context, builder, signature.args[i], arguments[i]) for i in positions]


def has_look_up(context) -> bool:
    """Whether the processor for which numba compiles has AVX-512, where `Vectors.look_up` works."""
    _, _, features = context.codegen().magic_tuple()
    return "+avx512f" in features.split(",")


class Vectors:
    """Operations on vectors of L numbers of the type in an array."""

    def __init__(self, builder: ir.IRBuilder, array: Array) -> None:
        self.builder = builder
        self.index = array.shape[0].type
        self.scalar = array.data.type.pointee
        size = 8 if isinstance(self.scalar, ir.DoubleType) else 4
        self.lanes = VECTOR_BYTES // size
        self.kind = ir.VectorType(self.scalar, self.lanes)
        self.integers = ir.VectorType(ir.IntType(8 * size), self.lanes)
        self.zero = ir.Constant(self.kind, [0.0] * self.lanes)

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

    def load_integers(self, array: Array, place: ir.Value) -> ir.Value:
        """L integers of 32 bits, extended to the size of the numbers."""
        kind = ir.VectorType(ir.IntType(32), self.lanes)
        pointer = self.builder.gep(array.data, [place])
        loaded = self.builder.load(self.builder.bitcast(pointer, kind.as_pointer()), align=4)
        return loaded if kind == self.integers else self.builder.zext(loaded, self.integers)

    def store(self, value: ir.Value, array: Array, place: ir.Value) -> None:
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
        product = self.builder.fmul(x, y, flags=("contract",))
        return self.builder.fadd(product, z, flags=("contract",))

    def add_product(self, variable: ir.Value, x: ir.Value, y: ir.Value) -> None:
        self.builder.store(self.multiply_add(x, y, self.builder.load(variable)), variable)

    def look_up(self, table: list[ir.Value], chosen: ir.Value) -> ir.Value:
        """The entries of a table of 16 numbers, in one or two vectors, at the low 4 bits."""
        if len(table) == 1:
            name, arguments = "llvm.x86.avx512.permvar.sf.512", [table[0], chosen]
        else:
            name, arguments = "llvm.x86.avx512.vpermi2var.pd.512", [table[0], chosen, table[1]]
        kind = ir.FunctionType(self.kind, [argument.type for argument in arguments])
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, arguments)
