"""Ensembles of networks and their initialisation."""

from typing import TYPE_CHECKING

from hrta.runtime.imports import at_first_use

if TYPE_CHECKING:
    from hrta.networks.adaptive import AdaptiveNetworks
    from hrta.networks.perceptron import Perceptron
    from hrta.networks.two_layer import TwoLayer, with_bias
else:
    __getattr__, __dir__ = at_first_use(
        __name__,
        {
            "adaptive": ["AdaptiveNetworks"],
            "perceptron": ["Perceptron"],
            "two_layer": ["TwoLayer", "with_bias"],
        },
    )

__all__ = ["AdaptiveNetworks", "Perceptron", "TwoLayer", "with_bias"]
