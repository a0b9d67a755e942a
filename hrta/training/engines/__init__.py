"""Engines that train ensembles of two-layer networks: one interface, one file for each engine."""

import importlib
import logging

import torch

from hrta.networks.two_layer import TwoLayer
from hrta.training.engines.engine import Engine, Setting

LOG = logging.getLogger(__name__)

# Where each engine is, the library that it needs beyond torch, and the devices that it works on.
ENGINES = {
    "reference": ("hrta.training.engines.torch_engine", "ReferenceEngine"),
    "cpu": ("hrta.training.engines.numba_engine", "CpuEngine"),
    "cuda": ("hrta.training.engines.triton_engine", "CudaEngine"),
}


def make_engine(name: str, networks: TwoLayer, setting: Setting) -> Engine:
    """The engine of that name, with a copy of the networks.

    - reference: plain torch, on any device and in any dtype.
    - cpu: compiled by numba; for float32 and float64 on a CPU.
    - cuda: compiled by Triton; for float32 and float64 on a CUDA GPU.
    - auto: cpu or cuda, by where the networks are; where that one cannot work, the reference, with
      a line in the log that says why.

    Raises:
        ValueError: an unknown name, or an engine that cannot work on these networks or here.
    """
    if name not in ("auto", *ENGINES):
        raise ValueError(f"unknown engine {name!r}; there are auto, {', '.join(ENGINES)}")
    device = networks.inner.device.type
    if name != "auto":
        return _make(name, networks, setting)
    try:
        return _make(device if device in ENGINES else "reference", networks, setting)
    except ValueError as reason:
        LOG.warning("%s; the reference engine is used instead", reason)
        return _make("reference", networks, setting)


def _make(name: str, networks: TwoLayer, setting: Setting) -> Engine:
    weights = networks.inner
    if name != "reference":
        if weights.device.type != name:
            raise ValueError(f"engine {name}: the networks are on device {weights.device.type}")
        if weights.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"engine {name}: {weights.dtype} is neither float32 nor float64")
    module, engine = ENGINES[name]
    try:
        return getattr(importlib.import_module(module), engine)(networks, setting)
    except ImportError as error:
        raise ValueError(f"engine {name}: {error}") from None
