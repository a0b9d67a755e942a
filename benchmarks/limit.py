"""How fast the machine could be: a limit from the arithmetic of a step.

For each of n points and m neurons with D = d + 1 inputs the dense formulation takes D multiply-adds
for z, a maximum and a multiply-add for a relu(z), a comparison, and D masked additions in the
backward pass: 2 D + 3 operations, which vector registers do side by side. So

    limit = (2 D + 3) n m / (multiply-adds a second that all cores do in registers)

a run and step, as if each operation took the slot of a multiply-add and nothing else took time: not
memory, and not the update, which is about 10 operations, a root and a division for each of the
(D + 1) m parameters. Our engine may be below this limit: in one dimension it sorts the points and
needs O(n + m) operations instead of O(n m), and with AVX-512 it needs D / 2 operations for the D
masked additions, an addition and a look-up for four points.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numba
import torch
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

LANES = 16
# Sums independent of each other; processors differ in how many they need, and in registers.
CHAINS = (6, 8, 12)
STEPS = 10**6


def operations(d: int, m: int, n: int) -> int:
    """Of one step of one network in d dimensions."""
    return (2 * (d + 1) + 3) * n * m


@intrinsic(prefer_literal=True)
def _sum_of_chains(_, x, y, steps, chains):
    """The sum of what z -> x z + y, so many times, makes of several vectors."""

    def generate(context, builder, signature, arguments):
        vector = ir.VectorType(ir.FloatType(), LANES)
        index = ir.IntType(32)
        lanes = ir.Constant(ir.VectorType(index, LANES), [0] * LANES)
        single = [
            builder.insert_element(ir.Constant(vector, ir.Undefined), argument, index(0))
            for argument in arguments[:2]
        ]
        factor, term = (builder.shuffle_vector(one, one, lanes) for one in single)
        sums = [
            cgutils.alloca_once_value(
                builder, ir.Constant(vector, [float(c + i) for i in range(LANES)])
            )
            for c in range(chains.literal_value)
        ]
        with cgutils.for_range(builder, arguments[2]):
            for variable in sums:
                product = builder.fmul(builder.load(variable), factor, flags=("contract",))
                builder.store(builder.fadd(product, term, flags=("contract",)), variable)
        total = ir.Constant(ir.FloatType(), 0.0)
        for variable in sums:
            value = builder.load(variable)
            for lane in range(LANES):
                total = builder.fadd(total, builder.extract_element(value, index(lane)))
        return total

    if not isinstance(chains, types.IntegerLiteral):
        return None
    return types.float32(x, y, steps, chains), generate


@cache
def _kernel(chains: int):
    @numba.njit("float32(float32, float32, int64)", nogil=True)
    def kernel(x, y, steps):
        return _sum_of_chains(x, y, steps, chains)

    return kernel


def cpu_rate(cores: int, tries: int = 10) -> float:
    """Multiply-adds of float32 a second on all cores: the best of some tries.

    By the time that each thread ran, so that it hardly matters what else the machine does.
    """
    best = 0.0
    with ThreadPoolExecutor(cores) as pool:
        for chains in CHAINS:
            kernel = _kernel(chains)
            for _ in range(tries):
                seconds = pool.map(_seconds, [kernel] * cores)
                best = max(best, sum(chains * LANES * STEPS / each for each in seconds))
    return best


def _seconds(kernel: Callable) -> float:
    """Processor time of a call."""
    started = time.thread_time()
    kernel(0.999, 0.5, STEPS)
    return time.thread_time() - started


def cuda_rate(size: int = 8192, tries: int = 10) -> float:
    """The same of a GPU, in a large product of matrices in float32 proper."""
    a, b = (torch.randn(size, size, device="cuda") for _ in range(2))
    best = 0.0
    for _ in range(tries):
        torch.cuda.synchronize()
        started = time.perf_counter()
        a @ b
        torch.cuda.synchronize()
        best = max(best, size**3 / (time.perf_counter() - started))
    return best
