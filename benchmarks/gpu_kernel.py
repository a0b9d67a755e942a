"""The kernel of the triton engine, compiled for GPUs that need not be there: `make bench-kernel`.

For the shapes of the replication it prints registers, occupancy, instructions of the inner loops
and the time of a step that follows from them, as Markdown.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from benchmarks.cases import Case
from benchmarks.limit import operations

# Inputs and widths of the ensembles of the replication.
SHAPES = tuple(product((1, 3), (50, 200, 1000)))


@dataclass(frozen=True)
class Machine:
    """A GPU.

    Attributes:
        architecture: compute capability.
        processors: number of streaming multiprocessors.
        clock: [Hz].
        lanes: instructions of threads that a processor issues in a cycle.
        registers, threads: of a processor.
    """

    architecture: int = 90
    processors: int = 132
    clock: float = 1.98e9
    lanes: int = 128
    registers: int = 65536
    threads: int = 2048

    def seconds(self, instructions: float) -> float:
        """The time in which all processors issue so many instructions of threads."""
        return instructions / (self.lanes * self.clock * self.processors)


# H100 and H200.
HOPPER = Machine()


class _NoGpu:
    """A driver of Triton that knows the target, and nothing else."""

    def __init__(self, architecture: int) -> None:
        self._architecture = architecture

    def get_current_device(self) -> int:
        # Triton keeps compiled kernels by device.
        return self._architecture

    def get_current_stream(self, _device: int) -> int:
        return 0

    def get_current_target(self) -> object:
        from triton.backends.compiler import GPUTarget

        return GPUTarget("cuda", self._architecture, 32)


@contextmanager
def compile_only(architecture: int) -> Iterator[list]:
    """Within, kernels are compiled for a GPU and not run; yields the list of them.

    Args:
        architecture: compute capability, such as 90.
    """
    from triton.runtime import driver
    from triton.runtime.jit import JITFunction

    kernels, run = [], JITFunction.run

    def compile_it(kernel: JITFunction, *arguments: object, **options: object) -> None:
        kernels.append(run(kernel, *arguments, **options | {"warmup": True}))

    with (
        tempfile.TemporaryDirectory() as cache,
        mock.patch.dict(os.environ, {"TRITON_CACHE_DIR": cache}),
        mock.patch.object(JITFunction, "run", compile_it),
        mock.patch.object(driver, "_active", _NoGpu(architecture)),
    ):
        yield kernels


@dataclass(frozen=True)
class Resources:
    """What a program of a kernel occupies.

    Attributes:
        registers: of a thread.
        stack: of a thread [bytes], for spilled registers.
        local: local memory of a thread [bytes].
        shared: shared memory of a program [bytes].
        threads: of a program.
    """

    registers: int
    stack: int
    local: int
    shared: int
    threads: int

    @property
    def programs(self) -> int:
        """The number of programs that share a processor."""
        # Registers are given out to warps in units of 256.
        of_warp = -(-self.registers * 32 // 256) * 256
        by_registers = HOPPER.registers // (of_warp * self.threads // 32)
        return min(by_registers, HOPPER.threads // self.threads, 32)


def resources_of(kernel: Any) -> Resources:
    """The resources of a compiled kernel, from Triton's cuobjdump."""
    said = _cuobjdump(kernel, "-res-usage")
    names = {"registers": "REG", "stack": "STACK", "local": "LOCAL", "shared": "SHARED"}
    found = {name: int(re.search(rf"{key}:(\d+)", said)[1]) for name, key in names.items()}
    return Resources(**found, threads=32 * kernel.metadata.num_warps)


def inner_loops(kernel: Any) -> list[list[str]]:
    """The instructions of each innermost loop, without operands and predicates."""
    pattern = r"/\*([0-9a-f]{4,5})\*/\s+(?:@!?U?P\w+ )?(\S+)([^;]*);"
    found = re.findall(pattern, _cuobjdump(kernel, "-sass"))
    code = {int(address, 16): name.partition(".")[0] for address, name, _ in found}
    loops = []
    for address, name, operands in found:
        target = re.search(r"0x[0-9a-f]+", operands)
        if name.startswith("BRA") and target and int(target[0], 16) < int(address, 16):
            loops.append((int(target[0], 16), int(address, 16)))
    innermost = [
        (first, last)
        for first, last in loops
        if not any(first <= a and b <= last for a, b in loops if (a, b) != (first, last))
    ]
    return [[code[at] for at in code if first <= at <= last] for first, last in innermost]


def instructions(kernel: Any) -> tuple[float, float]:
    """Instructions for each pair of a neuron and a point in the forward and the backward pass.

    Each pair takes one comparison of floats; only the backward pass selects one of two numbers. Of
    the loops of a pass, that with the most pairs runs most often.
    """
    passes = {False: (0, 0.0), True: (0, 0.0)}
    for loop in inner_loops(kernel):
        backward, pairs = "FSEL" in loop, loop.count("FSETP")
        if pairs > passes[backward][0]:
            passes[backward] = pairs, len(loop) / pairs
    return passes[False][1], passes[True][1]


def _cuobjdump(kernel: Any, option: str) -> str:
    from triton import knobs

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kernel.cubin"
        file.write_bytes(kernel.asm["cubin"])
        command = [knobs.nvidia.cuobjdump.path, option, file]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def row(d: int, m: int, machine: Machine = HOPPER) -> dict[str, object]:
    """The facts of the kernel for d inputs and m neurons, at the benchmark's number of points."""
    from hrta.training.engines.triton_engine import TritonEngine

    case = Case(d, m, R=1)
    with compile_only(machine.architecture) as kernels:
        engine = TritonEngine(case.make().task)
        engine.advance(np.ones(1), np.ones(1), np.ones(1, bool))
    (kernel,), tiles = kernels, engine.plan.tiles
    used, (forward, backward) = resources_of(kernel), instructions(kernel)
    forward_pairs = _padded(case.n, tiles.points) * _padded(m, tiles.neurons)
    backward_pairs = case.n * _padded(m, tiles.block)
    issued = forward_pairs * forward + backward_pairs * backward
    return {
        "d": d,
        "m": m,
        "registers": used.registers,
        "stack [bytes]": used.stack,
        "warps of a processor": used.programs * used.threads // 32,
        "instructions, forward": round(forward, 1),
        "instructions, backward": round(backward, 1),
        "predicted [us]": float(f"{1e6 * machine.seconds(issued):.2g}"),
        "limit [us]": float(f"{1e6 * machine.seconds(operations(d, m, case.n)):.2g}"),
    }


def _padded(number: int, tile: int) -> int:
    """The number rounded up to whole tiles."""
    return -(-number // tile) * tile


def main() -> None:
    """Print the table."""
    table = pd.DataFrame([row(d, m) for d, m in SHAPES]).astype(object)
    print(table.to_markdown(index=False, disable_numparse=True))


if __name__ == "__main__":
    main()
