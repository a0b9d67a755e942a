"""Training: the loop, its objectives, engines and kernels, and L-BFGS."""

from typing import TYPE_CHECKING

from hrta.runtime.imports import at_first_use, require

require("hrta.train", "pandas", "psutil")

if TYPE_CHECKING:
    from hrta.training import lbfgs
    from hrta.training.loop import Training
    from hrta.training.objectives.adaptive import AdaptiveSlopes
    from hrta.training.objectives.deep_ritz import DeepRitz
    from hrta.training.objectives.modules import ModuleFit
    from hrta.training.objectives.objective import Objective
    from hrta.training.objectives.two_layer import TwoLayerRegression
    from hrta.training.trainer import train
else:
    __getattr__, __dir__ = at_first_use(
        __name__,
        {
            "lbfgs": [],
            "loop": ["Training"],
            "objectives.adaptive": ["AdaptiveSlopes"],
            "objectives.deep_ritz": ["DeepRitz"],
            "objectives.modules": ["ModuleFit"],
            "objectives.objective": ["Objective"],
            "objectives.two_layer": ["TwoLayerRegression"],
            "trainer": ["train"],
        },
    )

__all__ = [
    "AdaptiveSlopes",
    "DeepRitz",
    "ModuleFit",
    "Objective",
    "Training",
    "TwoLayerRegression",
    "lbfgs",
    "train",
]
