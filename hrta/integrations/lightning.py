"""HRTA in the Trainer of the package `lightning`."""

from hrta.integrations.lightning_hooks import LightningHooks
from hrta.runtime.imports import needed_by

with needed_by("hrta.integrations.lightning"):
    from lightning.pytorch import Callback

__all__ = ["HomotopyCallback"]


class HomotopyCallback(LightningHooks, Callback):
    """Sets s in the LightningModule that is trained; see `LightningHooks` for the arguments."""
