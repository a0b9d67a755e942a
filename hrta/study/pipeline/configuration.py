"""The configuration as the workflow reads it: the replication's, and what is laid over it."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from hrta.study.pipeline.sources import HOME

REPLICATION = HOME / "config" / "replication.yaml"


def in_order(given: Mapping[str, object], file: Path = REPLICATION) -> dict[str, object]:
    """A configuration with the keys of the replication's own file first, in the order of that file.

    Snakemake puts the keys of files given with --configfile first. But the first of all methods is
    what the others are compared with, and figures show methods and problems in order.

    Args:
        given: the replication's configuration with others laid over it.
        file: the replication's configuration.
    """
    return _in_order(yaml.safe_load(file.read_text()), given)


def _in_order(base: object, given: object) -> object:
    if not (isinstance(base, Mapping) and isinstance(given, Mapping)):
        return given
    keys = dict.fromkeys([*(key for key in base if key in given), *given])
    return {key: _in_order(base.get(key), given[key]) for key in keys}
