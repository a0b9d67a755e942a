"""HRTA in the Trainer of the package `pytorch_lightning`."""

from hrta.integrations.lightning_hooks import LightningHooks

try:
    from pytorch_lightning import Callback
except ImportError as error:
    raise ImportError(
        "hrta.integrations.pytorch_lightning needs the package pytorch_lightning: "
        'pip install "hrta[lightning]"'
    ) from error

__all__ = ["HomotopyCallback"]


class HomotopyCallback(LightningHooks, Callback):
    """Sets s in the LightningModule that is trained; see `LightningHooks` for the arguments."""
