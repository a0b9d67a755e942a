"""Run a job from its spec and write its files."""

import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from hrta.cli.paths import check_files, check_unread
from hrta.runtime.files import set_aside
from hrta.runtime.imports import uncollected
from hrta.runtime.processes import cores
from hrta.runtime.progress import Progress, messages_shown
from hrta.study.config.base_spec import Spec

if TYPE_CHECKING:
    from hrta.study.experiments.outcome import Outcome


def run_job(
    spec: Spec, output: Path | None, checkpoint: Path | None, replace_foreign: bool = False
) -> bool:
    """Run a job and write its result, or print a summary if no output is given.

    If runs have diverged, a line on standard error says how many. A checkpoint that is broken is
    renamed, and the job begins anew.

    Args:
        spec: of the job.
        output: file of the first table.
        checkpoint: file of the state.
        replace_foreign: whether a checkpoint of another computation is treated as a broken one.

    Returns:
        Whether there is a run that has not diverged, or the job has no runs.
    """
    _check_files(spec, output, checkpoint)
    started = time.perf_counter()
    with uncollected():
        from hrta.study.experiments.registry import module_of

        import_module(module_of(spec))
    imported = time.perf_counter()
    with messages_shown(), Progress(spec.label) as progress:
        outcome = _resume_or_begin(spec, progress, checkpoint, replace_foreign)
    ended = time.perf_counter()
    if output is None:
        from hrta.cli.summaries import summary

        print(summary(spec, outcome))
    else:
        _write(spec, outcome, output, ended - started, ended - imported)
    for each in outcome.facts.get("diverged", []):
        print(
            f"{spec.label}: {each['method']}, learning rate {each['learning_rate']:g}, seed "
            f"{each['seed']} diverged at step {each['step']}"
        )
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return _say_diverged(spec, outcome, output)


def _resume_or_begin(
    spec: Spec, progress: Progress, checkpoint: Path | None, replace_foreign: bool
) -> "Outcome":
    """The outcome of the job; from the beginning if its checkpoint is of no use."""
    from hrta.runtime.checkpoints import BrokenCheckpointError, ForeignCheckpointError
    from hrta.study.experiments.registry import run

    try:
        return run(spec, progress, checkpoint)
    except (BrokenCheckpointError, ForeignCheckpointError) as error:
        foreign = isinstance(error, ForeignCheckpointError)
        if checkpoint is None or (foreign and not replace_foreign):
            raise
        reason = str(error).removesuffix("; remove it to start again")
    print(f"hrta: {reason}; renamed {set_aside(checkpoint)}, starting again", file=sys.stderr)
    return run(spec, progress, checkpoint)


def _say_diverged(spec: Spec, outcome: "Outcome", output: Path | None) -> bool:
    """Say how many runs have diverged; returns whether there is another run, or none at all."""
    from hrta.study.analysis.final import diverged

    runs = diverged(outcome.table)
    if any(runs):
        many = "all" if all(runs) else f"{sum(runs)} of"
        where = "" if output is None else f"; the losses of all runs are in {output}"
        print(f"hrta: {spec.label}: {many} {len(runs)} runs diverged{where}", file=sys.stderr)
    return not (runs and all(runs))


def _check_files(spec: Spec, output: Path | None, checkpoint: Path | None) -> None:
    """Refuse files that cannot be written, or must not, and a checkpoint that is of no use."""
    inputs = [source.file for source in spec.sources if getattr(source, "file", None)]
    if output is not None:
        written = _written(spec, output)
        check_unread("--output", output, written, inputs)
        check_files("--output", output, written)
    if checkpoint is not None:
        check_unread("--checkpoint", checkpoint, [checkpoint], inputs)
    if checkpoint is not None and output is None:
        raise ValueError(f"--checkpoint {checkpoint}: needs --output")
    if checkpoint is not None and not spec.resumable:
        raise ValueError(f"--checkpoint {checkpoint}: job {spec.job} writes no checkpoint")


def _written(spec: Spec, output: Path) -> list[Path]:
    """The files that a job writes: its table, what is beside it, and a second table."""
    beside = Path(f"{output}.sha256") if spec.job == "data" else output.with_suffix(".json")
    return [output, beside, *([_second(spec, output)] if spec.second_table else [])]


def _second(spec: Spec, output: Path) -> Path:
    return output.with_stem(f"{output.stem}_{spec.second_table}")


def _write(
    spec: Spec, outcome: "Outcome", output: Path, wall_time: float, work_time: float
) -> None:
    """Write the tables, and beside the first its record.

    Args:
        spec: what was computed.
        outcome: the result.
        output: file of the first table.
        wall_time: time from the beginning of `run_job` to the outcome [s].
        work_time: time of the computation, after the imports of the experiment [s].
    """
    from hrta.problems.files import write_checksum
    from hrta.runtime.files import write_json, write_table
    from hrta.runtime.provenance import provenance

    if outcome.second is not None:
        write_table(outcome.second, _second(spec, output))
    write_table(outcome.table, output)
    if spec.job == "data":
        write_checksum(output)
        return
    record = {
        "spec": spec.model_dump(mode="json", exclude_none=True),
        "spec_hash": spec.digest,
        **provenance(wall_time),
        "work_time": round(work_time, 3),
        "threads": cores(),
        **outcome.facts,
        "device": outcome.device,
        "dtype": outcome.dtype,
    }
    write_json(record, output.with_suffix(".json"))
