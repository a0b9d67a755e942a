"""The study of the replication's configuration, and of what is laid over it."""

from functools import cache
from pathlib import Path

import yaml
from snakemake.utils import update_config

from hrta.study.pipeline.study import Study, in_order, read_study

ROOT = Path(__file__).parents[1]


def read_config(*files: str) -> dict:
    """The replication's configuration with these files of config/ laid over it."""
    config = {}
    for name in files:
        update_config(config, yaml.safe_load((ROOT / "config" / name).read_text()))
    base = yaml.safe_load((ROOT / "config/replication.yaml").read_text())
    update_config(base, config)
    return in_order(base)


@cache
def study(*files: str) -> Study:
    """Their study on this machine's CPU."""
    return read_study(read_config(*files) | {"device": "cpu"}, submitted=False)
