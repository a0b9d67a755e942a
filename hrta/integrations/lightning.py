"""HRTA in the Trainer of the package `lightning`."""

from hrta.integrations.lightning_hooks import LightningHooks

try:
    from lightning.pytorch import Callback
except ImportError as error:
    raise ImportError(
        'hrta.integrations.lightning needs the package lightning: pip install "hrta[lightning]"'
    ) from error

__all__ = ["HomotopyCallback"]


class HomotopyCallback(LightningHooks, Callback):
    """Sets s in the LightningModule that is trained; see `LightningHooks` for the arguments."""
