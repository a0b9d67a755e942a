"""Vectors of 64 bytes in LLVM: L = 16 float32 or 8 float64 numbers.

Compilers do not keep a tile of sums in registers over a loop by themselves; so the tiles of
`hrta.training.kernels.simd` and `hrta.training.kernels.products` are spelt out in these vectors,
which LLVM maps on what the processor has, AVX-512, AVX2 or NEON.
"""

from collections.abc import Iterator
from contextlib import contextmanager

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
    """The arrays among the arguments of an intrinsic, given their positions."""
    return [Array(context, builder, signature.args[i], arguments[i]) for i in positions]


class Vectors:
    """Operations on vectors of a scalar type; `index` is the type of positions."""

    def __init__(self, builder: ir.IRBuilder, scalar: ir.Type, index: ir.Type) -> None:
        self.builder, self.scalar, self.index = builder, scalar, index
        self.lanes = VECTOR_BYTES // (8 if isinstance(scalar, ir.DoubleType) else 4)
        self.vector = ir.VectorType(scalar, self.lanes)
        self.zero = self.constant(0.0)

    def constant(self, value: float) -> ir.Constant:
        """The same number in every lane."""
        return ir.Constant(self.vector, [value] * self.lanes)

    @contextmanager
    def loop(self, count: ir.Value) -> Iterator[ir.Value]:
        """A loop over the first numbers of the vectors among `count` numbers."""
        width = self.index(self.lanes)
        with cgutils.for_range(self.builder, self.builder.sdiv(count, width)) as loop:
            yield self.builder.mul(loop.index, width)

    def variables(self, start: list[ir.Value]) -> list[list[ir.Value]]:
        """GROUP x len(start) vector variables, initially `start`; LLVM keeps them in registers."""
        return [
            [cgutils.alloca_once_value(self.builder, vector) for vector in start]
            for _ in range(GROUP)
        ]

    def at(self, array: Array, place: ir.Value) -> ir.Value:
        return self.builder.gep(array.data, [place])

    def load(self, pointer: ir.Value) -> ir.Value:
        vector = self.builder.bitcast(pointer, self.vector.as_pointer())
        return self.builder.load(vector, align=VECTOR_BYTES // self.lanes)

    def store(self, value: ir.Value, pointer: ir.Value) -> None:
        vector = self.builder.bitcast(pointer, self.vector.as_pointer())
        self.builder.store(value, vector, align=VECTOR_BYTES // self.lanes)

    def broadcast(self, array: Array, place: ir.Value) -> ir.Value:
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

    def total(self, vector: ir.Value) -> ir.Value:
        """The sum over lanes."""
        lanes = self.lanes
        while lanes > 1:
            lanes //= 2
            low, high = (self.part(vector, start, lanes) for start in (0, lanes))
            vector = self.builder.fadd(low, high)
        return self.builder.extract_element(vector, ir.IntType(32)(0))

    def multiply_add(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        product = self.builder.fmul(x, y, flags=("contract",))
        return self.builder.fadd(product, z, flags=("contract",))

    def add_product(self, variable: ir.Value, x: ir.Value, y: ir.Value) -> None:
        self.builder.store(self.multiply_add(x, y, self.builder.load(variable)), variable)
