"""Engines: torch, numba and triton, which train an ensemble."""

# Each engine: a module, and in it a function or class that is called with the task.
ENGINES = {
    "torch": ("hrta.training.objectives.two_layer_loss", "make_torch_engine"),
    "numba": ("hrta.training.engines.numba_engine", "NumbaEngine"),
    "triton": ("hrta.training.engines.triton_engine", "TritonEngine"),
}
