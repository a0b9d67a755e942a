"""Training: one loop, its objectives, engines and kernels."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["adaptive", "deep_ritz", "lbfgs", "modules", "plateaus"],
    submod_attrs={
        "two_layer": ["train", "Training"],
    },
)
