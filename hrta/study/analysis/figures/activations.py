"""The figure of the activations."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from hrta.study.analysis.figures.style import COLUMN_WIDTH, shades, use_style


def activation_family(s_values: Sequence[float], base: str = "relu") -> Figure:
    """sigma_s(z) and its slope for several s."""
    import torch

    from hrta.activations import homotopy

    use_style()
    figure, (left, right) = plt.subplots(1, 2, figsize=(COLUMN_WIDTH, 2.1))
    z = torch.linspace(-2, 2, 401, dtype=torch.float64, requires_grad=True)
    for s, colour in zip(s_values, shades(len(s_values)), strict=True):
        value = homotopy(z, s, base)
        (slope,) = torch.autograd.grad(value.sum(), z)
        slope[z.abs() < 1e-9] = torch.nan  # leaves a gap at the jump
        left.plot(z.detach(), value.detach(), color=colour, label=f"s = {s:g}")
        right.plot(z.detach(), slope, color=colour)
    left.set(xlabel="pre-activation z", ylabel="σₛ(z)", title="activation")
    right.set(xlabel="pre-activation z", ylabel="dσₛ/dz", title="slope")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure
