"""Which jobs and files the manifest and the crate of a run are about."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hrta.study.pipeline.configuration import REPLICATION
from hrta.study.pipeline.sources import HOME, relative

if TYPE_CHECKING:
    from snakemake.io import Wildcards
    from snakemake.rules import Rule
    from snakemake.workflow import Workflow

# The workflow itself, as it goes into the crate beside what it made.
CODE = (
    *("CHANGELOG.md", "CITATION.cff", "LICENSE", "Makefile", "README.md", "Snakefile"),
    *("benchmarks", "config", "data/reference", "docs", "environment.yml", "hrta", "notebooks"),
    *("profiles", "pyproject.toml", "requirements.lock", "tests", "workflow"),
)
NOT_CODE = {"__pycache__", ".ipynb_checkpoints", "executed"}


@dataclass(frozen=True)
class RecordedJob:
    """A job that made files: the name of its rule, its outputs, its benchmark if there is one."""

    rule: str
    outputs: list[str]
    benchmark: str | None = None


@dataclass(frozen=True)
class Recorded:
    """The jobs behind some files, found when all rules are known.

    Attributes:
        workflow: Snakemake's.
        wanted: the files; none of them may be made from the manifest.
    """

    workflow: "Workflow"
    wanted: Sequence[str]

    @cached_property
    def jobs(self) -> list[RecordedJob]:
        """All jobs that the files need."""
        return sorted(_jobs(self.workflow.rules, self.wanted), key=lambda job: job.outputs)

    @property
    def jobs_json(self) -> str:
        """The same as one line of JSON."""
        return json.dumps([asdict(job) for job in self.jobs], separators=(",", ":"))

    @property
    def files(self) -> list[str]:
        """All that these jobs make."""
        return [output for job in self.jobs for output in job.outputs]

    @property
    def configuration(self) -> list[str]:
        """The replication's configuration, and what is laid over it."""
        given = map(Path, self.workflow.configfiles)
        files = dict.fromkeys(file.absolute() for file in (REPLICATION, *given))
        return [os.path.relpath(file) for file in files]


def _jobs(rules: Iterable["Rule"], wanted: Iterable[str]) -> Iterator[RecordedJob]:
    rules, waiting, seen = list(rules), list(wanted), set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for producer, wildcards in _producers(file, rules):
            outputs = [str(output) for output in producer.expand_output(wildcards)[0]]
            seen.update(outputs)
            waiting += [str(given) for given in producer.expand_input(wildcards)[0]]
            benchmark = producer.expand_benchmark(wildcards)
            yield RecordedJob(producer.name, outputs, benchmark and str(benchmark))


def _producers(file: str, rules: list["Rule"]) -> list[tuple["Rule", "Wildcards"]]:
    """The rule that makes a file, with its wildcards; nothing for a source."""
    for rule in rules:
        if any(output.match(file) for output in rule.output):
            return [(rule, rule.get_wildcards(file))]
    return []


def code_files() -> list[str]:
    """The workflow's own files, without caches."""
    files = []
    for at in [HOME / name for name in CODE]:
        files += sorted(at.glob("**/*")) if at.is_dir() else [at]
    return [
        relative(file)
        for file in files
        if file.is_file() and NOT_CODE.isdisjoint(file.relative_to(HOME).parts)
    ]
