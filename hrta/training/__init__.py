"""Training: the loop, its objectives, engines and kernels, and L-BFGS."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["lbfgs"],
    submod_attrs={
        "loop": ["Training"],
        "objectives.adaptive": ["AdaptiveSlopes"],
        "objectives.deep_ritz": ["DeepRitz"],
        "objectives.modules": ["ModuleFit"],
        "objectives.objective": ["Objective"],
        "objectives.two_layer": ["TwoLayerRegression"],
        "trainer": ["train"],
    },
)
