"""Adaptive networks in float64, and points for them."""

import torch

from hrta import TwoLayer
from hrta.networks.adaptive import AdaptiveNetworks
from hrta.problems.targets import make_problem

PROBLEM = make_problem("jump1d", 30, 1)


def networks(adaptive="none", seeds=(0, 1), **options):
    options = {"activation": "tanh", "dtype": torch.float64} | options
    return AdaptiveNetworks.initialise(seeds, 1, [7, 5], adaptive=adaptive, **options)


def two_layer(activation, adaptive, runs=5, width=11, dtype=torch.float64):
    start = TwoLayer.initialise(range(runs), 1, width, dtype=dtype)
    return start, AdaptiveNetworks.of_two_layer(start, activation, adaptive)


def bent(start):
    """The networks with slopes and biases that differ, all of them to be differentiated."""
    random = torch.Generator().manual_seed(1)
    for tensors in (start.weights, start.biases, start.slopes):
        for tensor in tensors:
            noise = torch.randn(tensor.shape, dtype=tensor.dtype, generator=random)
            tensor += 0.05 * noise
            tensor.requires_grad_()
    return start
