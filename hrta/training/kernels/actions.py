"""What is done with vectors of sums: activations and their derivatives."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from hrta.training.kernels.vectors import VECTOR_BYTES, Vectors

# What the result becomes, from the sum z and the old result h:
ADD = 0  # h + z
TANH, RELU = 1, 2  # the activation of z
TANH_BACK, RELU_BACK = 3, 4  # z times the derivative of the activation whose value is h
# Degree of the polynomial for 2^f, |f| <= 1/2; its relative error, 7e-9 and 7e-18, is less than the
# rounding.
DEGREES = {np.float32: 7, np.float64: 13}


class Actions(Vectors):
    """The actions on a vector of sums, and what they need besides the operations of `Vectors`."""

    def constant(self, value: float) -> ir.Constant:
        """The same number in every lane."""
        return ir.Constant(self.kind, [value] * self.lanes)

    @contextmanager
    def loop(self, count: ir.Value) -> Iterator[ir.Value]:
        """A loop over the first numbers of the vectors among `count` numbers."""
        width = self.index(self.lanes)
        with cgutils.for_range(self.builder, self.builder.sdiv(count, width)) as loop:
            yield self.builder.mul(loop.index, width)

    def total(self, vector: ir.Value) -> ir.Value:
        """The sum over lanes."""
        lanes = self.lanes
        while lanes > 1:
            lanes //= 2
            low, high = (_part(self.builder, vector, start, lanes) for start in (0, lanes))
            vector = self.builder.fadd(low, high)
        return self.builder.extract_element(vector, ir.IntType(32)(0))

    def act(self, action: int, z: ir.Value, h: ir.Value) -> ir.Value:
        """What an action makes of the sum z and the old result h."""
        builder = self.builder
        if action == TANH:
            return self.tanh(z)
        if action == RELU:
            return builder.select(builder.fcmp_ordered("<", z, self.zero), self.zero, z)
        if action == ADD:
            return builder.fadd(h, z)
        if action == RELU_BACK:
            return builder.select(builder.fcmp_ordered(">", h, self.zero), z, self.zero)
        square = builder.fmul(h, h)
        return builder.fmul(z, builder.fsub(self.constant(1.0), square))

    def tanh(self, z: ir.Value) -> ir.Value:
        """1 - 2 / (1 + e^2z); its error is about one rounding of 1.

        e^2z = 2^(k + 1) 2^(f - 1) with an integer k and |f| <= 1/2. The last digits of k + `shift`,
        rounded, are k + 1 plus the bias of the exponents of floating-point numbers.
        """
        builder = self.builder
        kind = np.float64 if isinstance(self.scalar, ir.DoubleType) else np.float32
        digits = np.finfo(kind).nmant
        u = builder.fmul(z, self.constant(2 / np.log(2)))
        # Beyond this, tanh rounds to 1 or -1. A comparison with NaN is false, and NaN remains NaN.
        for sign, beyond in ((1.0, ">"), (-1.0, "<")):
            bound = self.constant(sign * (digits + 8))
            u = builder.select(builder.fcmp_ordered(beyond, u, bound), bound, u)
        f = builder.fsub(u, self.rounded(u))
        highest, *others = (self.constant(each) for each in _series(DEGREES[kind]))
        power = highest
        for coefficient in others:
            power = self.multiply_add(power, f, coefficient)
        # Both are even, so that ties are rounded as those of `rounded`. The bounds keep LLVM from
        # fusing this sum with the product in u, which would round other numbers.
        shift = self.constant(1.5 * 2.0**digits + np.finfo(kind).maxexp)
        bits = builder.bitcast(builder.fadd(u, shift), self.integers)
        bits = builder.shl(bits, ir.Constant(self.integers, [digits] * self.lanes))
        one, two = self.constant(1.0), self.constant(2.0)
        denominator = self.multiply_add(power, builder.bitcast(bits, self.kind), one)
        return builder.fsub(one, builder.fdiv(two, denominator))

    def rounded(self, z: ir.Value) -> ir.Value:
        """The nearest integer; ties to even."""
        name = f"llvm.rint.v{self.lanes}f{8 * VECTOR_BYTES // self.lanes}"
        kind = ir.FunctionType(self.kind, [self.kind])
        rint = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(rint, [z])


def _part(builder: ir.IRBuilder, vector: ir.Value, start: int, lanes: int) -> ir.Value:
    """The lanes from `start` of a vector; `lanes` is their number."""
    chosen = ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(start, start + lanes)))
    return builder.shuffle_vector(vector, vector, chosen)


def _series(degree: int) -> list[float]:
    """Coefficients of 2^(f - 1) = sum_j (f log 2)^j / (2 j!) up to a degree, the highest first."""
    return [np.log(2) ** j / (2 * math.factorial(j)) for j in range(degree, -1, -1)]
