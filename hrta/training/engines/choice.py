"""The engines for two-layer regression: their names, and how one is chosen."""

import importlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hrta.training.engines.engine import Engine
    from hrta.training.task import Task

LOG = logging.getLogger(__name__)

# Where each engine is, as a module and a function of a task in it.
ENGINES = {
    "torch": ("hrta.training.objectives.two_layer_loss", "make_torch_engine"),
    "numba": ("hrta.training.engines.numba_engine", "NumbaEngine"),
    "triton": ("hrta.training.engines.triton_engine", "TritonEngine"),
}
# The compiled engine for each type of device.
COMPILED = {"cpu": "numba", "cuda": "triton"}
# The optimizers whose updates the compiled engines have.
COMPILED_OPTIMIZERS = ("gradient_descent", "heavy_ball", "nesterov", "adam")
RENAMED = {"reference": "torch", "cpu": "numba", "cuda": "triton"}


def check_engine(name: str, known: Sequence[str] = tuple(ENGINES)) -> str:
    """The name of an engine, or a ValueError; the message lists those that there are."""
    if name in RENAMED:
        raise ValueError(f"engine {name!r} is now called {RENAMED[name]!r}")
    if name not in ("auto", *known):
        raise ValueError(f"unknown engine {name!r}; there are auto, {', '.join(known)}")
    return name


def make_engine(task: "Task") -> "Engine":
    """The engine that the task asks for, with a copy of its two-layer networks.

    - torch: plain torch, on any device and in any dtype.
    - numba: compiled for the CPU; float32 and float64.
    - triton: compiled for a CUDA GPU; float32 and float64.
    - auto: numba or triton, by where the networks are; where that one cannot work, torch, with a
      line in the log that says why.

    Raises:
        ValueError: an unknown name, or an engine that cannot work on these networks or here.
    """
    name = check_engine(task.engine)
    if name != "auto":
        return _make(name, task)
    try:
        return _make(COMPILED.get(task.networks.inner.device.type, "torch"), task)
    except ValueError as reason:
        LOG.warning("%s; the torch engine is used instead", reason)
        return _make("torch", task)


def _make(name: str, task: "Task") -> "Engine":
    weights = task.networks.inner
    if name in COMPILED.values():
        if task.optimizer not in COMPILED_OPTIMIZERS:
            raise ValueError(f"engine {name}: it has no update for optimizer {task.optimizer!r}")
        if COMPILED.get(weights.device.type) != name:
            raise ValueError(f"engine {name}: the networks are on device {weights.device.type}")
        if str(weights.dtype) not in ("torch.float32", "torch.float64"):
            raise ValueError(f"engine {name}: {weights.dtype} is neither float32 nor float64")
    module, make = ENGINES[name]
    try:
        return getattr(importlib.import_module(module), make)(task)
    except ImportError as error:
        raise ValueError(f"engine {name}: {error}") from None
