"""The study: the checked configuration, and the jobs and items made from it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import yaml

from hrta.study.claims.kinds import KINDS, Kind
from hrta.study.config.claims import read_claims
from hrta.study.config.replication import Replication, check_config
from hrta.study.config.yaml_files import check_files
from hrta.study.pipeline.item import Item
from hrta.study.pipeline.items import make_items
from hrta.study.pipeline.machine import gpus
from hrta.study.pipeline.plan import Plan
from hrta.study.pipeline.sources import CONFIGURATION, HOME, workflow_file

CLAIMS = HOME / "config" / "claims.yaml"
REPORT = (
    *("report/index.html", "report/manifest.json"),
    *("report/figures", "report/tables", "report/notebooks"),
)


@dataclass(frozen=True)
class Study:
    """The configuration, and the jobs and items made from it.

    Attributes:
        settings: the configuration.
        gpu: number of GPUs requested by a job that can train on a GPU.
        plan: the jobs.
        items: the items by name.
        judged: the kinds of evidence that the claims are judged on.
    """

    settings: Replication
    gpu: int
    plan: Plan
    items: dict[str, Item]
    judged: list[str]

    @cached_property
    def evidence(self) -> dict[str, list[str]]:
        """The result files of each kind of evidence, without kinds that have none."""
        files = {name: self._files_of(kind) for name, kind in KINDS.items()}
        return {name: results for name, results in files.items() if results}

    def _files_of(self, kind: Kind) -> list[str]:
        if not kind.results:
            return self.plan.problems()
        tables = self.plan.second_tables if kind.second else self.plan.tables
        return tables(*kind.results)

    @cached_property
    def results(self) -> list[str]:
        """The final files of a run: figures, tables, evidence and verdicts."""
        return [
            *(file for item in self.items.values() for file in item.files),
            *(f"results/evidence/{kind}.parquet" for kind in self.evidence),
            "results/evidence/configuration.json",
            "tables/claims.csv",
            "tables/claims.md",
        ]

    @property
    def captions(self) -> list[str]:
        """The files of all captions."""
        names = {each.caption for item in self.items.values() for each in item.shown}
        return [workflow_file(f"workflow/report/captions/{name}") for name in sorted(names)]

    @property
    def contents(self) -> str:
        """The items for the report, as JSON."""
        items = [replace(item, reads={}, parameters={}) for item in self.items.values()]
        return json.dumps([asdict(item) for item in items], ensure_ascii=False)

    @property
    def targets(self) -> dict[str, list[str]]:
        """The files of each target with several items: paper, theory, ..."""
        targets = {}
        for item in self.items.values():
            for target in item.targets:
                targets.setdefault(target, []).extend(item.files)
        return targets


def read_study(
    config: Mapping[str, object], submitted: bool, files: Iterable[str | Path] = ()
) -> Study:
    """The study of a configuration.

    Args:
        config: mappings, lists and values.
        submitted: whether jobs run on other machines.
        files: the files of the configuration.

    Raises:
        ConfigError: mistakes in the configuration or the claims, one line each.
        OSError: the claims cannot be read.
    """
    check_files(files)
    settings = check_config(config)
    gpu = gpus(settings.device, submitted)
    plan = Plan(settings, automatic="triton" if gpu else "numba")
    return Study(settings, gpu, plan, make_items(settings, plan), read_claims(CLAIMS).tables)


def in_order(given: Mapping[str, object], file: Path = CONFIGURATION) -> dict[str, object]:
    """A configuration with its keys in the order of the replication's file, new keys last.

    Snakemake puts the keys of files given with --configfile first. But the first method is the
    baseline, and figures show methods and problems in order.

    Args:
        given: the configuration of the replication, updated with other files.
        file: the configuration file of the replication.
    """
    return _in_order(yaml.safe_load(file.read_text(encoding="utf-8")), given)


def _in_order(base: object, given: object) -> object:
    if not (isinstance(base, Mapping) and isinstance(given, Mapping)):
        return given
    keys = dict.fromkeys([*(key for key in base if key in given), *given])
    return {key: _in_order(base.get(key), given[key]) for key in keys}
