"""Assembly of the infinite-width Gram matrix by hrta and google/neural-tangents, in float64.

make bench-gram
"""

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from hrta import ntk
from hrta.study.analysis.tables import save_table

REPEATS = 7


def main(
    peer_python: Annotated[Path, typer.Option()] = Path(".venv-nt/bin/python"),
    output: Annotated[Path, typer.Option()] = Path("results/benchmarks_gram"),
) -> None:
    """Print and write the table: median seconds of both, and their ratio."""
    if not peer_python.exists():
        raise SystemExit(
            f"benchmark: {peer_python}: there is no such interpreter; `make bench-gram`"
        )
    script = Path(__file__).with_name("neural_tangents_peer.py")
    peer = subprocess.Popen(
        [peer_python, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    rows = []
    for n, d in ((1000, 1), (1000, 4), (4000, 1), (4000, 4), (4000, 16)):
        x = np.random.default_rng(0).standard_normal((n, d))
        ours, theirs = _in_turns(peer, x)
        row = {"n": n, "d": d, "ours": np.median(ours), "neural_tangents": np.median(theirs)}
        rows.append(row | {"ratio": np.median(theirs) / np.median(ours)})
    peer.stdin.close()
    peer.wait()
    table = pd.DataFrame(rows)
    output.mkdir(parents=True, exist_ok=True)
    save_table(table, table.round(4), output / "gram")
    print((output / "gram.md").read_text())


def _in_turns(peer: subprocess.Popen, x: np.ndarray) -> tuple[list[float], list[float]]:
    """Seconds of both, one after the other; their matrices must agree."""
    ours, theirs = [], []
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file.name, x)
        for _ in range(REPEATS):
            started = time.perf_counter()
            matrix = ntk.gram(x, 1.0)
            ours.append(time.perf_counter() - started)
            print(file.name, file=peer.stdin, flush=True)
            seconds, total = map(float, peer.stdout.readline().split())
            theirs.append(seconds)
            if abs(total / matrix.sum() - 1) > 1e-9:
                raise SystemExit(f"benchmark: the kernels differ: {total} and {matrix.sum()}")
    return ours, theirs


if __name__ == "__main__":
    typer.run(main)
