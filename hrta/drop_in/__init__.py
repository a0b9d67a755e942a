"""HRTA in any PyTorch model: replace its activations, change s during training."""

from hrta.drop_in.conversion import CLASSES, convert, converted, restore
from hrta.drop_in.scheduler import HomotopyScheduler

__all__ = ["CLASSES", "HomotopyScheduler", "convert", "converted", "restore"]
