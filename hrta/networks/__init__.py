"""Ensembles of networks and their initialisation."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "adaptive": ["AdaptiveNetworks"],
        "perceptron": ["Perceptron"],
        "two_layer": ["TwoLayer", "with_bias"],
    },
)
