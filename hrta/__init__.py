"""Homotopy relaxation training of two-layer networks: a replication of arXiv 2309.15244.

The public names are imported when first used, so that what needs no torch does not wait for it.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "homotopy": "activations",
    "HomotopyActivation": "activations",
    "HomotopyScheduler": "drop_in",
    "Plateau": "schedules",
    "convert": "drop_in",
    "Stage": "schedules",
    "Schedule": "schedules",
    "Problem": "problems",
    "TwoLayer": "networks",
    "train": "training",
    "Training": "training",
}
_MODULES = (
    "acceleration",
    "acceleration_plots",
    "acceleration_statistics",
    "activations",
    "agreement",
    "anmin",
    "anmin_plots",
    "claim_cells",
    "claim_pages",
    "claims",
    "config",
    "config_claims",
    "config_numbers",
    "contestants",
    "datasets",
    "deep_ritz",
    "deep_ritz_experiment",
    "deep_ritz_plots",
    "deep_ritz_statistics",
    "drop_in",
    "ensembles",
    "evidence",
    "gain_plots",
    "gain_tables",
    "kernel_motion",
    "kernels",
    "laaf",
    "laaf_experiment",
    "laaf_plots",
    "laaf_statistics",
    "lbfgs",
    "leaderboard",
    "linearised",
    "minibatches",
    "module_ensembles",
    "module_training",
    "networks",
    "ntk",
    "optimizers",
    "paths",
    "perceptrons",
    "plateaus",
    "plots",
    "poisson",
    "problems",
    "race",
    "race_plots",
    "race_results",
    "race_statistics",
    "race_tables",
    "rates",
    "reference",
    "results",
    "sample_number",
    "schedule_plots",
    "schedules",
    "spectra",
    "statistics",
    "sweep",
    "sweep_plots",
    "sweep_tables",
    "tables",
    "targets",
    "theory_plots",
    "theory_statistics",
    "training",
    "verdicts",
    "verification",
    "width_limit",
)

__all__ = [*_HOME, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"hrta.{_HOME[name]}"), name)
    if name in _MODULES:
        return import_module(f"hrta.{name}")
    raise AttributeError(f"module 'hrta' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
