"""Engines: torch, numba and triton, which train an ensemble.

For each objective a module and in it a function or class, for each engine that can minimise it.
Imported by name, so that a result depends only on the source files of its own engine.
"""

from collections.abc import Mapping

Engines = Mapping[str, tuple[str, str]]

TWO_LAYER: Engines = {
    "torch": ("hrta.training.objectives.two_layer_loss", "make_torch_engine"),
    "numba": ("hrta.training.engines.numba_engine", "NumbaEngine"),
    "triton": ("hrta.training.engines.triton_engine", "TritonEngine"),
}
DEEP_RITZ: Engines = {
    "torch": ("hrta.training.objectives.ritz_loss", "make_torch_engine"),
    "numba": ("hrta.training.engines.ritz_engine", "RitzEngine"),
}
ADAPTIVE_SLOPES: Engines = {
    "torch": ("hrta.training.objectives.adaptive_loss", "make_torch_engine"),
    "numba": ("hrta.training.engines.adaptive_engine", "AdaptiveEngine"),
}
