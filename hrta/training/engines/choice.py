"""The names of the engines, and the choice of one."""

import importlib
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hrta.runtime.arguments import is_one_of
from hrta.training.engines import Engines

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


def check_engine(name: str, known: Iterable[str]) -> str:
    """The name of an engine; raises a ValueError that lists the known ones if it is unknown."""
    if is_one_of(name, RENAMED):
        raise ValueError(f"engine: {name!r} was renamed {RENAMED[name]!r}")
    known = ("auto", *known)
    if not is_one_of(name, known):
        raise ValueError(f"engine: must be one of {', '.join(known)}; it is {name!r}")
    return name


def make_engine(task: "Task", engines: Engines, weights: "Tensor", *arguments: object) -> "Engine":
    """The engine of the task, with a copy of its networks.

    - torch: plain torch, on any device and in any dtype.
    - numba: compiled for the CPU; float32 and float64.
    - triton: compiled for a CUDA GPU; float32 and float64.
    - auto: numba on a CPU and triton on a GPU, for objectives that have this engine; if it is not
      available, torch, and the reason is logged.

    Args:
        task: the training task.
        engines: those of the objective.
        weights: any of the networks' weights, for their dtype and device.
        arguments: with which engines are made besides the task.

    Raises:
        ValueError: an unknown name, or an engine that is not available for these networks or on
            this machine.
    """
    name = check_engine(task.engine, engines)
    if name != "auto":
        return _make(name, task, engines, weights, arguments)
    compiled = COMPILED.get(weights.device.type, "")
    if compiled in engines:
        try:
            return _make(compiled, task, engines, weights, arguments)
        except ValueError as reason:
            LOG.warning("%s; engine torch is used instead", reason)
    return _make("torch", task, engines, weights, arguments)


def _make(
    name: str, task: "Task", engines: Engines, weights: "Tensor", arguments: tuple[object, ...]
) -> "Engine":
    if name in COMPILED.values():
        check_compiled(name, task.optimizer, weights)
    module, make = engines[name]
    try:
        return getattr(importlib.import_module(module), make)(task, *arguments)
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
