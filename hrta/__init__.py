"""Homotopy relaxation training of two-layer networks: a replication of arXiv 2309.15244.

The public names are imported at first use, so that code without torch does not load torch.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["anmin", "integrations", "networks", "ntk", "problems", "runtime", "training"],
    submod_attrs={
        "activations": ["HomotopyActivation", "homotopy"],
        "drop_in": ["HomotopyScheduler", "convert", "converted", "load_converted", "restore"],
        "networks": ["TwoLayer"],
        "problems": ["Problem"],
        "schedules": ["Plateau", "Schedule", "Stage"],
        "training": ["Training", "train"],
    },
)
