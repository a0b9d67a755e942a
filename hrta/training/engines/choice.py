"""The engines for two-layer regression: their names and the choice of one."""

import importlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hrta.training.engines import ENGINES

if TYPE_CHECKING:
    from torch import Tensor

    from hrta.training.engines.engine import Engine
    from hrta.training.task import Task

LOG = logging.getLogger(__name__)

# The compiled engine for each type of device.
COMPILED = {"cpu": "numba", "cuda": "triton"}
# The optimizers whose updates the compiled engines have.
COMPILED_OPTIMIZERS = ("gradient_descent", "heavy_ball", "nesterov", "adam")
RENAMED = {"reference": "torch", "cpu": "numba", "cuda": "triton"}


def check_engine(name: str, known: Sequence[str] = tuple(ENGINES)) -> str:
    """The name of an engine; raises a ValueError that lists the known ones if it is unknown."""
    if name in RENAMED:
        raise ValueError(f"engine: {name!r} was renamed {RENAMED[name]!r}")
    if name not in ("auto", *known):
        raise ValueError(f"engine: must be one of auto, {', '.join(known)}; it is {name!r}")
    return name


def make_engine(task: "Task") -> "Engine":
    """The engine of the task, with a copy of its two-layer networks.

    - torch: plain torch, on any device and in any dtype.
    - numba: compiled for the CPU; float32 and float64.
    - triton: compiled for a CUDA GPU; float32 and float64.
    - auto: numba or triton, depending on the device of the networks; if that engine is not
      available, torch, and the reason is logged.

    Raises:
        ValueError: an unknown name, or an engine that is not available for these networks or on
            this machine.
    """
    name = check_engine(task.engine)
    if name != "auto":
        return _make(name, task)
    try:
        return _make(COMPILED.get(task.networks.inner.device.type, "torch"), task)
    except ValueError as reason:
        LOG.warning("%s; engine torch is used instead", reason)
        return _make("torch", task)


def _make(name: str, task: "Task") -> "Engine":
    if name in COMPILED.values():
        check_compiled(name, task.optimizer, task.networks.inner)
    module, make = ENGINES[name]
    try:
        return getattr(importlib.import_module(module), make)(task)
    except ImportError as error:
        raise ValueError(f"engine {name}: {error}") from None


def check_compiled(name: str, optimizer: str, weights: "Tensor") -> None:
    """Raise a ValueError if a compiled engine cannot train networks with such weights."""
    if optimizer not in COMPILED_OPTIMIZERS:
        raise ValueError(f"engine {name}: it has no update for optimizer {optimizer!r}")
    if COMPILED.get(weights.device.type) != name:
        raise ValueError(f"engine {name}: networks must not be on device {weights.device.type}")
    if str(weights.dtype) not in ("torch.float32", "torch.float64"):
        raise ValueError(f"engine {name}: dtype must be float32 or float64; it is {weights.dtype}")
