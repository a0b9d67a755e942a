"""The jobs and files that the manifest and the crate of a run record."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hrta.study.pipeline.sources import CONFIGURATION, HOME, relative

if TYPE_CHECKING:
    from snakemake.rules import Rule
    from snakemake.workflow import Workflow

# The files and folders of the workflow that are part of the crate.
CODE = (
    *("CHANGELOG.md", "CITATION.cff", "LICENSE", "Makefile", "README.md", "Snakefile"),
    *("benchmarks", "config", "data/reference", "docs", "environment.yml", "hrta", "notebooks"),
    *("profiles", "pyproject.toml", "requirements.lock", "tests", "workflow"),
)
NOT_CODE = {"__pycache__", ".ipynb_checkpoints", "executed"}


@dataclass(frozen=True)
class RecordedJob:
    """A job that made files: the name of its rule, its outputs, its benchmark if any."""

    rule: str
    outputs: list[str]
    benchmark: str | None = None


@dataclass(frozen=True)
class Recorded:
    """The jobs that made some files, determined once all rules are defined.

    Attributes:
        workflow: Snakemake's workflow.
        wanted: the files; none may depend on the manifest.
    """

    workflow: "Workflow"
    wanted: Sequence[str]

    @cached_property
    def jobs(self) -> list[RecordedJob]:
        """All jobs that the files depend on."""
        rules, waiting, seen, jobs = list(self.workflow.rules), list(self.wanted), set(), []
        while waiting:
            file = waiting.pop()
            rule = None if file in seen else _producer(file, rules)
            seen.add(file)
            if rule is not None:
                wildcards = rule.get_wildcards(file)
                outputs = [str(output) for output in rule.expand_output(wildcards)[0]]
                seen.update(outputs)
                waiting += [str(given) for given in rule.expand_input(wildcards)[0]]
                benchmark = rule.expand_benchmark(wildcards)
                jobs.append(RecordedJob(rule.name, outputs, benchmark and str(benchmark)))
        return sorted(jobs, key=lambda job: job.outputs)

    @property
    def jobs_json(self) -> str:
        """The jobs as one line of JSON."""
        return json.dumps([asdict(job) for job in self.jobs], separators=(",", ":"))

    @property
    def files(self) -> list[str]:
        """The outputs of these jobs."""
        return [output for job in self.jobs for output in job.outputs]

    @property
    def configuration(self) -> list[str]:
        """The configuration file of the replication, and those given with --configfile."""
        given = map(Path, self.workflow.configfiles)
        files = dict.fromkeys(file.absolute() for file in (CONFIGURATION, *given))
        return [os.path.relpath(file) for file in files]


def _producer(file: str, rules: list["Rule"]) -> "Rule | None":
    """The rule that makes a file; None for a source file."""
    made = (rule for rule in rules if any(output.match(file) for output in rule.output))
    return next(made, None)


def code_files() -> list[str]:
    """The files of the workflow, without caches."""
    places = [HOME / name for name in CODE]
    files = [file for at in places for file in (sorted(at.glob("**/*")) if at.is_dir() else [at])]
    own = [file for file in files if NOT_CODE.isdisjoint(file.relative_to(HOME).parts)]
    return [relative(file) for file in own if file.is_file()]
