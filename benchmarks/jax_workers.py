"""JAX as a contender: processes of `benchmarks.jax_peer`, in the environment that has JAX."""

import json
import os
import subprocess
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import LEARNING_RATE, Start
from benchmarks.peers import Contender

PEER = Path(__file__).with_name("jax_peer.py")
# Arithmetic of one call of a compiled program, in numbers: some 10 ms, a hundred times the call.
CALL = 10**8
LONGEST_CALL = 1000


@dataclass(frozen=True)
class Variant:
    """A way to train in JAX: see `benchmarks.jax_peer.Training`.

    Attributes:
        loop, gradient: as there.
        processes: in one process of one thread for each core, instead of in one with all cores.
    """

    loop: str
    gradient: str = "autodiff"
    processes: bool = False

    @property
    def name(self) -> str:
        words = [self.loop, *["by hand"] * (self.gradient == "by hand")]
        return ", ".join([*words, *["processes"] * self.processes])


SCAN = Variant("scan")
VMAP, VMAP_BY_HAND = Variant("vmap"), Variant("vmap", "by hand")
PROCESSES = [
    Variant(loop, gradient, processes=True)
    for loop in ("scan", "vmap")
    for gradient in ("autodiff", "by hand")
]


def variants(device: str, everything: bool) -> list[Variant]:
    """All ways to train that may be JAX's best, or only those that mostly are."""
    if device == "cuda":
        return [SCAN, VMAP, VMAP_BY_HAND] if everything else [VMAP, VMAP_BY_HAND]
    return [SCAN, Variant("threads"), VMAP, *PROCESSES] if everything else PROCESSES[:2]


class JaxError(Exception):
    """JAX is not there, or does not work."""


class Worker:
    """A process that trains in JAX."""

    def __init__(self, python: Path, environment: dict[str, str], errors: Path) -> None:
        self._errors = errors
        with errors.open("w") as file:
            self._process = subprocess.Popen(
                [str(python), str(PEER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                env=os.environ | environment,
            )

    def send(self, **request: object) -> None:
        """Ask without waiting for the answer."""
        try:
            print(json.dumps(request), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            self._fail()

    def answer(self) -> dict[str, Any]:
        """The answer to the oldest request that has none yet."""
        line = self._process.stdout.readline()
        if not line:
            self._fail()
        return json.loads(line)

    def _fail(self) -> None:
        said = self._errors.read_text().strip().splitlines() or ["without a word"]
        raise JaxError(f"JAX ended: {said[-1]}")

    def close(self) -> None:
        """Let the process end, and wait until it has."""
        self._process.stdout.close()
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


class JaxWorkers:
    """One process with all cores or the GPU and, on a CPU, one of one thread for each core.

    Attributes:
        version: of JAX.

    Raises:
        JaxError: JAX is not there, or has not the device.
    """

    def __init__(self, python: Path, device: str, cores: int) -> None:
        if not python.exists():
            raise JaxError(f"there is no {python}")
        self._cores = cores
        with ExitStack() as stack:
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            environments = [_environment(device)]
            if device == "cpu":
                environments += [_environment(device) | {"NPROC": "1"}] * cores
            self._all = []
            for number, environment in enumerate(environments):
                errors = self._folder / f"{number}.txt"
                self._all.append(Worker(python, environment, errors))
                stack.callback(self._all[-1].close)
            hello = ask(self._all, command="hello")[0]
            if hello["device"] != {"cpu": "cpu", "cuda": "gpu"}[device]:
                raise JaxError(f"it finds no GPU, only {hello['device']}")
            self.version = hello["version"]
            self._stack = stack.pop_all()

    def __enter__(self) -> "JaxWorkers":
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def contenders(self, start: Start, variants: list[Variant]) -> list["Jax"]:
        """So many ways to train from there; those of an earlier call end."""
        networks = start.networks
        file = self._folder / "start.npz"
        arrays = {"x": start.x, "y": start.y, "inner": networks.inner, "outer": networks.outer}
        numbers = {name: tensor.cpu().numpy() for name, tensor in arrays.items()}
        np.savez(file, learning_rate=LEARNING_RATE, **numbers)
        ask(self._all, command="load", file=str(file))
        return [
            Jax(variant, self._all[1:] if variant.processes else self._all[:1], start, self._cores)
            for variant in variants
        ]


class Jax(Contender):
    """Networks that train in JAX, in one way."""

    engine = "JAX"

    def __init__(self, variant: Variant, workers: list[Worker], start: Start, cores: int) -> None:
        runs, (n, inputs) = start.networks.runs, start.x.shape
        self.variant = variant.name
        self._workers = workers[:runs]
        self.threads = len(self._workers) if variant.processes else cores
        each = {"scan": 1, "threads": cores, "vmap": -(-runs // len(self._workers))}[variant.loop]
        self.networks = min(runs, each * len(self._workers))
        arithmetic = (2 * inputs + 3) * n * start.networks.width
        arithmetic *= each if variant.loop == "vmap" else 1
        self.chunk = max(1, min(LONGEST_CALL, CALL // arithmetic))
        for number, worker in enumerate(self._workers):
            worker.send(
                command="start",
                name=self.variant,
                loop=variant.loop,
                gradient=variant.gradient,
                runs=list(range(number, self.networks, len(self._workers))),
                chunk=self.chunk,
            )
        answers(self._workers)

    def advance(self, steps: int) -> float:
        chunks = steps // self.chunk
        return ask(self._workers, command="advance", name=self.variant, chunks=chunks)[0]["loss"]


def ask(workers: list[Worker], **request: object) -> list[dict[str, Any]]:
    """All of them the same, at the same time."""
    for worker in workers:
        worker.send(**request)
    return answers(workers)


def answers(workers: list[Worker]) -> list[dict[str, Any]]:
    """Their answers, all awaited."""
    return [worker.answer() for worker in workers]


def _environment(device: str) -> dict[str, str]:
    """JAX takes only the device meant, and does not take the whole memory of a GPU."""
    platforms = {"JAX_PLATFORMS": "cpu"} if device == "cpu" else {}
    return platforms | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
