"""What the workflow is about: the checked configuration, and the jobs and figures made from it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property

from hrta.study.config.claims import read_claims
from hrta.study.config.replication import Replication, check_config
from hrta.study.pipeline.evidence import evidence_inputs
from hrta.study.pipeline.item import SECTIONS, Item
from hrta.study.pipeline.items import make_items
from hrta.study.pipeline.machine import gpus
from hrta.study.pipeline.plan import Plan
from hrta.study.pipeline.sources import HOME, workflow_file

CLAIMS = HOME / "config" / "claims.yaml"
REPORT = (
    *("report/index.html", "report/manifest.json"),
    *("report/figures", "report/tables", "report/notebooks"),
)


@dataclass(frozen=True)
class Study:
    """The configuration, and all that is made from it.

    Attributes:
        settings: the configuration.
        gpu: how many GPUs a job asks for that can train on one.
        plan: the jobs that compute.
        items: the figures and tables, by name.
        evidence: kinds of evidence, and the results that each is made from.
        judged: the kinds that the claims are judged on.
    """

    settings: Replication
    gpu: int
    plan: Plan
    items: dict[str, Item]
    evidence: dict[str, list[str]]
    judged: list[str]

    @cached_property
    def results(self) -> list[str]:
        """All that a run is for: figures, tables, evidence and verdicts."""
        return [
            *(file for item in self.items.values() for file in item.files),
            *(f"results/evidence/{kind}.parquet" for kind in self.evidence),
            "results/evidence/configuration.json",
            *("tables/claims.csv", "tables/claims.md"),
        ]

    @property
    def captions(self) -> list[str]:
        """The files of all captions."""
        shown = (each for item in self.items.values() for each in item.article.shown)
        names = sorted({each.caption for each in shown})
        return [workflow_file(f"workflow/report/captions/{name}") for name in names]

    @property
    def contents(self) -> str:
        """The articles of each section of the report, as JSON."""
        contents = {
            section: [asdict(i.article) for i in self.items.values() if i.section == section]
            for section in SECTIONS
        }
        return json.dumps(contents, ensure_ascii=False)

    @cached_property
    def targets(self) -> dict[str, list[str]]:
        """The files of each target that stands for several items: paper, theory, ..."""
        targets = {}
        for item in self.items.values():
            for target in item.targets:
                targets.setdefault(target, []).extend(item.files)
        return targets


def read_study(config: Mapping[str, object], submitted: bool) -> Study:
    """The study of a configuration.

    Args:
        config: mappings, lists and values.
        submitted: whether jobs run on other machines than this.

    Raises:
        ConfigError: what is wrong with the configuration or the claims, a line for each mistake.
        OSError: the claims cannot be read.
    """
    settings = check_config(config)
    gpu = gpus(settings.device, submitted)
    plan = Plan(settings, automatic="triton" if gpu else "numba")
    items = make_items(settings, plan)
    return Study(settings, gpu, plan, items, evidence_inputs(plan), read_claims(CLAIMS).tables)
