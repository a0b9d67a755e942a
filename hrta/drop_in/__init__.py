"""HRTA in any PyTorch model: replace its activations, change s during training."""

from hrta.drop_in.conversion import convert
from hrta.drop_in.placement import CLASSES
from hrta.drop_in.restoration import converted, load_converted, restore
from hrta.drop_in.scheduler import HomotopyScheduler

__all__ = [
    "CLASSES",
    "HomotopyScheduler",
    "convert",
    "converted",
    "load_converted",
    "restore",
]
