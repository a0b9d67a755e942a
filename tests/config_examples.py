"""The replication's configuration, to change and break."""

import copy
from pathlib import Path

import yaml
from snakemake.utils import update_config

CONFIG = Path(__file__).parents[1] / "config"
REPLICATION = yaml.safe_load((CONFIG / "replication.yaml").read_text())


def laid_over(name):
    """The replication's configuration with another file of the folder laid over it."""
    config = copy.deepcopy(REPLICATION)
    update_config(config, yaml.safe_load((CONFIG / f"{name}.yaml").read_text()))
    return config


def changed(path, value):
    """The replication's configuration with one value changed, or removed where it is ...."""
    config = copy.deepcopy(REPLICATION)
    *parents, last = path.split(".")
    at = config
    for key in parents:
        at = at[key]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return config
