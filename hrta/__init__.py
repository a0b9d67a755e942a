"""Homotopy relaxation training of two-layer networks: a replication of arXiv 2309.15244.

The public names are imported at first use, so that code without torch does not load torch.
"""

from typing import TYPE_CHECKING

from hrta.runtime.imports import at_first_use

if TYPE_CHECKING:
    from hrta import anmin, integrations, networks, ntk, problems, runtime, training
    from hrta.activations import HomotopyActivation, homotopy
    from hrta.drop_in import HomotopyScheduler, convert, converted, load_converted, restore
    from hrta.networks import TwoLayer
    from hrta.problems import Problem
    from hrta.schedules import Plateau, Schedule, Stage
    from hrta.training import Training, train
else:
    __getattr__, __dir__ = at_first_use(
        __name__,
        {
            "activations": ["HomotopyActivation", "homotopy"],
            "anmin": [],
            "drop_in": ["HomotopyScheduler", "convert", "converted", "load_converted", "restore"],
            "integrations": [],
            "networks": ["TwoLayer"],
            "ntk": [],
            "problems": ["Problem"],
            "runtime": [],
            "schedules": ["Plateau", "Schedule", "Stage"],
            "training": ["Training", "train"],
        },
    )

__version__ = "0.1.0"
__all__ = [
    "HomotopyActivation",
    "HomotopyScheduler",
    "Plateau",
    "Problem",
    "Schedule",
    "Stage",
    "Training",
    "TwoLayer",
    "anmin",
    "convert",
    "converted",
    "homotopy",
    "integrations",
    "load_converted",
    "networks",
    "ntk",
    "problems",
    "restore",
    "runtime",
    "train",
    "training",
]
