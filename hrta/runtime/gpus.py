"""Whether there may be a GPU."""

import shutil
from pathlib import Path


def has_driver() -> bool:
    """Whether this machine has NVIDIA's driver; importing torch, to find a GPU, is slow."""
    return shutil.which("nvidia-smi") is not None or Path("/dev/nvidiactl").exists()
