"""The profile of a run: times by kind of job and item, critical path, simulated schedules."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import isnan, nan
from pathlib import Path

import pandas as pd

from hrta.study.analysis.tables import MISSING
from hrta.study.config.jobs import SPEC
from hrta.study.config.mistakes import checked
from hrta.study.pipeline.manifest import Job, Manifest, read_benchmark
from hrta.study.pipeline.plan import Job as PlannedJob
from hrta.study.pipeline.scheduling import Task, critical_path, needed, schedules, simulate

# The folder of the benchmarks in that of a run.
BENCHMARKS = Path("results/benchmarks")
# Rules whose jobs are made from the manifest, and so are not in it; the first one makes it.
RECORDING = ("manifest", "crate_description", "report")
# The kind of job by the first word of its rule, where each job has a rule of its own.
KINDS = {"figure": "notebooks", "table": "notebooks", "evidence": "evidence"}
# Kinds of the jobs that write what a reader asks for.
ITEMS = ("notebooks", "claims")


def profile(manifest: Manifest, folder: Path, cores: Sequence[int]) -> str:
    """The profile of a run as Markdown.

    Args:
        manifest: of the run.
        folder: of the run.
        cores: the numbers of cores to simulate; the single items are simulated on the first one.

    Raises:
        ValueError: as `tasks_of`.
    """
    tasks = tasks_of(manifest, folder)
    parts = [
        "### Time by kind of job",
        _markdown(_kinds(tasks)),
        _startup(tasks),
        *_not_measured(manifest, tasks),
        "### Critical path",
        _length(tasks),
        _markdown(_path(tasks)),
        "### Simulated runs",
        _markdown(_runs(tasks, cores)),
        "### Single items",
        _markdown(_items(tasks, cores[0])),
    ]
    return "\n\n".join(parts)


def tasks_of(manifest: Manifest, folder: Path) -> list[Task]:
    """The jobs of a manifest in its order, then those that are made from it.

    Args:
        manifest: of the run.
        folder: of the run.

    Raises:
        ValueError: no job has a benchmark, or a spec of another version.
    """
    if not any(job.benchmark for job in manifest.jobs):
        raise ValueError(f"{folder}: no job of the manifest has a benchmark; make the run again")
    maker = {path: artifact.job for path, artifact in manifest.artifacts.items()}
    tasks = [_task(job, maker) for job in manifest.jobs]
    before = range(len(tasks))
    for rule in RECORDING:
        if measured := read_benchmark(folder / BENCHMARKS / f"{rule}.tsv"):
            memory = _number(measured, "max_rss")
            tasks.append(Task(rule, rule, _number(measured, "s"), tuple(before), memory=memory))
        if rule == RECORDING[0]:
            before = range(len(tasks))
    return tasks


def _task(job: Job, maker: dict[str, int]) -> Task:
    total, spec = _number(job.benchmark, "s"), job.result.get("spec")
    if "s" not in job.benchmark and job.started and job.ended:
        total = (job.ended - job.started).total_seconds()
    return Task(
        name=job.outputs[0],
        kind=kind_of(job),
        total=0.0 if pd.isna(total) else total,
        needs=tuple(sorted({maker[path] for path in job.inputs if path in maker})),
        work=job.result.get("work_time", nan),
        memory=_number(job.benchmark, "max_rss"),
        threads=job.result.get("threads", 1),
        priority=_priority(job.result_name, spec) if spec else 0,
    )


def _number(benchmark: dict[str, float | str], column: str) -> float:
    """A value of a benchmark; NaN if it was not measured."""
    value = benchmark.get(column)
    return value if isinstance(value, float) else nan


def _priority(name: str, spec: dict[str, object]) -> int:
    """The priority of the job in the workflow, which does not depend on the engine."""
    return PlannedJob(name, checked(SPEC, spec, name), automatic="numba").priority


def kind_of(job: Job) -> str:
    """The kind of a job: its rule; of races and theory also the folder of the result."""
    first, parts = job.rule.split("_")[0], job.outputs[0].split("/")
    if first == "race":
        return f"race, {parts[1]}"
    if first == "theory":
        return f"theory, {parts[2]}"
    return KINDS.get(first, job.rule)


def by_kind(tasks: Sequence[Task]) -> pd.DataFrame:
    """Times and memory by kind of job, the kind with the most core-minutes first.

    Returns:
        A row for each kind: number of jobs, core-minutes of all, of their start-up and of their
        work (NaN if a job has not recorded it), mean and largest time [s], memory [MB].
    """
    table = pd.DataFrame(tasks)
    minutes = table["threads"] / 60
    table["core_minutes"] = table["total"] * minutes
    table["work_minutes"] = table["work"] * minutes
    table["startup_minutes"] = (table["total"] - table["work"]) * minutes
    kinds = table.groupby("kind").agg(
        jobs=("total", "size"),
        core_minutes=("core_minutes", "sum"),
        startup_minutes=("startup_minutes", lambda column: column.sum(skipna=False)),
        work_minutes=("work_minutes", lambda column: column.sum(skipna=False)),
        mean=("total", "mean"),
        largest=("total", "max"),
        memory=("memory", "max"),
    )
    return kinds.reset_index().sort_values("core_minutes", ascending=False, ignore_index=True)


def _kinds(tasks: Sequence[Task]) -> pd.DataFrame:
    """`by_kind` as text, with a row of all jobs."""
    kinds = by_kind(tasks)
    everything = by_kind([replace(task, kind="all") for task in tasks])
    table = pd.concat([kinds, everything], ignore_index=True)
    share = table["core_minutes"] / everything["core_minutes"].item()
    return pd.DataFrame(
        {
            "kind of job": table["kind"],
            "jobs": _texts(table["jobs"], "d"),
            "core-minutes": _texts(table["core_minutes"], ".1f"),
            "share": _texts(share, ".1%"),
            "start-up [core-min]": _texts(table["startup_minutes"], ".1f"),
            "work [core-min]": _texts(table["work_minutes"], ".1f"),
            "mean time [s]": _texts(table["mean"], ".1f"),
            "largest time [s]": _texts(table["largest"], ".1f"),
            "peak memory [MB]": _texts(table["memory"], ".0f"),
        }
    )


def _startup(tasks: Sequence[Task]) -> str:
    """A sentence on the start-up of the jobs that have recorded their work."""
    known = [task for task in tasks if not isnan(task.work)]
    if not known:
        return "No job has recorded how long its work took."
    total = sum(task.core_time for task in known)
    startup = sum((task.total - task.work) * task.threads for task in known)
    return (
        f"{len(known)} of {len(tasks)} jobs have recorded how long their work took. Their start-up "
        f"is {startup / 60:.1f} of {total / 60:.1f} core-minutes ({startup / total:.1%}), "
        f"{startup / len(known):.1f} s a job."
    )


def _not_measured(manifest: Manifest, tasks: Sequence[Task]) -> list[str]:
    """Sentences on jobs without a benchmark."""
    timed = [job for job in manifest.jobs if "s" not in job.benchmark and job.ended]
    untimed = [job for job in manifest.jobs if "s" not in job.benchmark and not job.ended]
    counted = {task.kind for task in tasks}
    sentences = {
        "Without a benchmark, with the time that Snakemake recorded": _counts(timed),
        "Without a time, counted as 0 s": _counts(untimed),
        "Not counted": ", ".join(rule for rule in RECORDING if rule not in counted),
    }
    return [f"{start}: {names}." for start, names in sentences.items() if names]


def _counts(jobs: Sequence[Job]) -> str:
    counts = Counter(kind_of(job) for job in jobs)
    return ", ".join(f"{kind} ({count})" for kind, count in counts.items())


def _length(tasks: Sequence[Task]) -> str:
    path = critical_path(tasks)
    return f"{len(path)} jobs, {sum(task.total for task in path) / 60:.1f} min."


def _path(tasks: Sequence[Task]) -> pd.DataFrame:
    """The critical path as text."""
    table = pd.DataFrame(critical_path(tasks))
    return pd.DataFrame(
        {
            "job": table["name"],
            "kind": table["kind"],
            "start-up [s]": _texts(table["total"] - table["work"], ".1f"),
            "time [s]": _texts(table["total"], ".1f"),
            "ends after [min]": _texts(table["total"].cumsum() / 60, ".1f"),
        }
    )


def _runs(tasks: Sequence[Task], cores: Sequence[int]) -> pd.DataFrame:
    """The simulated runs as text."""
    table = schedules(tasks, cores)
    return pd.DataFrame(
        {
            "cores": _texts(table["cores"], "d"),
            "wall time [min]": _texts(table["wall"], ".1f"),
            "lower bound [min]": _texts(table["bound"], ".1f"),
            "utilisation": _texts(table["used"], ".0%"),
        }
    )


def _items(tasks: Sequence[Task], cores: int) -> pd.DataFrame:
    """Each figure and table alone, with all that it needs, as text; those that take longest first.

    Args:
        tasks: of the run.
        cores: number of cores of the simulated runs.
    """
    items = {task.name: needed(tasks, n) for n, task in enumerate(tasks) if task.kind in ITEMS}
    table = pd.DataFrame(
        {
            "item": list(items),
            "jobs": [len(jobs) for jobs in items.values()],
            "wall": [simulate(jobs, cores) / 60 for jobs in items.values()],
        }
    ).sort_values("wall", ascending=False)
    return pd.DataFrame(
        {
            "item": table["item"],
            "jobs": _texts(table["jobs"], "d"),
            f"wall time on {cores} cores [min]": _texts(table["wall"], ".1f"),
        }
    )


def _texts(numbers: pd.Series, form: str) -> list[str]:
    """The numbers as text in a format; a dash where there is none."""
    return [MISSING if pd.isna(number) else format(number, form) for number in numbers]


def _markdown(table: pd.DataFrame) -> str:
    """A table of texts as Markdown, the names to the left and the numbers to the right."""
    sides = [
        "left" if name in ("kind of job", "job", "kind", "item") else "right" for name in table
    ]
    return table.to_markdown(index=False, disable_numparse=True, colalign=sides)
