"""The command `hrta run`: run a job from its spec."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hrta.cli.jobs import run_job
from hrta.cli.options import CheckpointOption, MarkBrokenOption, OutputOption, ParentOption
from hrta.study.config.jobs import SPEC
from hrta.study.config.mistakes import checked

app = typer.Typer(rich_markup_mode=None)


@app.command()
def run(
    spec: Annotated[str, typer.Argument(help="Spec of a job: JSON, or the path of a JSON file.")],
    output: OutputOption = None,
    checkpoint: CheckpointOption = None,
    parent: ParentOption = None,
    mark_broken: MarkBrokenOption = False,
) -> None:
    """Run a job from its spec, such as the one in the record beside a result.

    Diverged runs are part of the result, and no error.
    """
    from hrta.study.pipeline.repair import made_anew

    with made_anew(mark_broken):
        run_job(checked(SPEC, _read(spec), "spec"), output, checkpoint, replace_foreign=True)


def _read(spec: str) -> object:
    text = spec if spec.lstrip().startswith("{") else Path(spec).read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"spec: not JSON ({error}): {text[:40]!r}") from None
