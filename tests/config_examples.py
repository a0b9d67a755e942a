"""The replication's configuration, to change and break."""

import copy
from pathlib import Path

import yaml

CONFIG = Path(__file__).parents[1] / "config"
REPLICATION = yaml.safe_load((CONFIG / "replication.yaml").read_text())


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
