"""What sigma_s costs, forward and backward, beside the activations of torch.

make bench-activations
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pandas as pd
import torch
import typer
from torch import Tensor, nn

from hrta import HomotopyActivation, homotopy
from hrta.activations import BASES
from hrta.study.analysis.tables import save_table

S = 1.5
PRE_ACTIVATIONS = (1_000, 1_000_000)
SECONDS = 0.2  # of each contender at each size
COMPILED = (False, True)
Function = Callable[[Tensor], Tensor]


def main(
    output: Annotated[Path, typer.Option()] = Path("results/benchmarks_activations"),
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    threads: Annotated[int, typer.Option(help="of the CPU")] = 1,
) -> None:
    """Print and write the table: the time of sigma_s over that of torch's activation."""
    torch.set_num_threads(threads)
    rows = []
    for base in BASES:
        for compiled in COMPILED:
            for size in PRE_ACTIVATIONS:
                z = torch.randn(size, device=device, requires_grad=True)
                times = _interleaved(_contenders(base, compiled, device), z)
                rows += _ratios(base, compiled, size, times)
    table = pd.DataFrame(rows)
    output.mkdir(parents=True, exist_ok=True)
    short = table.pivot_table(
        "ratio", ["base", "compiled", "contender"], "pre_activations", sort=False
    )
    save_table(table, short.round(2).reset_index(), output / "activations")
    print((output / "activations.md").read_text())


def _contenders(base: str, compiled: bool, device: str) -> dict[str, Function]:
    """Torch's activation first: for ReLU the leaky one, which is sigma_s."""
    s = torch.tensor(S, device=device)
    contenders = {
        "torch": nn.LeakyReLU(1 - S) if base == "relu" else BASES[base],
        "number": lambda z: homotopy(z, S, base),
        "tensor": lambda z: homotopy(z, s, base),
        "module": HomotopyActivation(S, base).to(device),
    }
    if not compiled:
        return contenders
    torch.compiler.reset()
    return {name: torch.compile(function) for name, function in contenders.items()}


def _interleaved(contenders: dict[str, Function], z: Tensor) -> pd.DataFrame:
    """Seconds of forward and backward, a column a contender, a row a round of all of them."""
    gradient = torch.ones_like(z)

    def rounds(number: int) -> pd.DataFrame:
        return pd.DataFrame(
            {name: _seconds(function, z, gradient) for name, function in contenders.items()}
            for _ in range(number)
        )

    rounds(2)  # compiles
    return rounds(5 + int(SECONDS / rounds(1).mean(axis=None)))


def _seconds(function: Function, z: Tensor, gradient: Tensor) -> float:
    z.grad = None
    if z.is_cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    function(z).backward(gradient)
    if z.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _ratios(base: str, compiled: bool, size: int, times: pd.DataFrame) -> list[dict]:
    """The median of each contender, and of its time over torch's in the same round."""
    shared = {"base": base, "compiled": compiled, "pre_activations": size}
    ratios = times.div(times["torch"], axis=0).median()
    return [
        shared | {"contender": name, "us": 1e6 * times[name].median(), "ratio": ratios[name]}
        for name in times.columns[1:]
    ]


if __name__ == "__main__":
    typer.run(main)
