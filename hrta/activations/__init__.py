"""The homotopy from the identity to an activation (s = 1) and beyond it (s up to 2)."""

from hrta.activations.bases import BASES, base_activation
from hrta.activations.function import check_homotopy_parameter, homotopy
from hrta.activations.module import HomotopyActivation

__all__ = [
    "BASES",
    "HomotopyActivation",
    "base_activation",
    "check_homotopy_parameter",
    "homotopy",
]
