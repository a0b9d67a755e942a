"""Everything that needs a GPU, in one run: `make gpu`.

The parts run one after another, each with a limit of time, and the failure of one does not stop the
others. results/gpu/report.md says what each of them found; their output is beside it.
"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from hrta.runtime.files import whole_file

ROOT = Path(__file__).parents[2]
OUTPUT = ROOT / "results/gpu"
# Kinds of evidence of the items of `paper`, and the folders of their results.
PAPER = {
    "final_losses": "results/runs",
    "switches": "results/runs",
    "poisson": "results/poisson",
    "spectra": "results/spectra",
}
# Lines of a part's output that the report quotes.
QUOTED = 60
PASSED, LEFT_OUT = "passed", "left out: it needs a program that is not there"


@dataclass(frozen=True)
class Part:
    """A part of the run.

    Attributes:
        name: of its log, and its heading in the report.
        command: run in the root of the repository.
        limit: of its time [s].
        quoted: whether the report has the end of its output if it succeeds, too.
        program: without which the part is left out; empty if it needs none.
    """

    name: str
    command: str
    limit: int
    quoted: bool = True
    program: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of a part.

    Attributes:
        part: the part.
        seconds: that it took.
        result: passed, left out, or what is wrong.
    """

    part: Part
    seconds: float
    result: str

    @property
    def wrong(self) -> bool:
        """Whether the part failed."""
        return self.result not in (PASSED, LEFT_OUT)


def parts() -> list[Part]:
    """All parts; together at most 25 minutes."""
    python, here = sys.executable, OUTPUT.relative_to(ROOT)
    snakemake = f"{python} -m snakemake --cores all --config device=cuda"
    evidence = " && ".join(
        f"{python} -m hrta evidence {kind} --output {here}/paper/results/evidence/{kind}.parquet"
        f" $(find {here}/paper/{folder} -name '*.parquet' ! -name '*_solutions.parquet')"
        for kind, folder in PAPER.items()
    )
    training = f"{python} tests/gpu/small_training.py"
    # The first training compiles the kernels. Torch's own pool would hide accesses out of bounds.
    sanitizer = (
        f"{training} && PYTORCH_NO_CUDA_MEMORY_CACHING=1 compute-sanitizer --error-exitcode 9"
        " --report-api-errors no"
    )
    return [
        Part("device", "nvidia-smi", 20),
        Part("tests", f"{python} -m pytest -q -m gpu --numprocesses 0", 240),
        Part(
            "smoke run",
            f"mkdir -p {here}/smoke && {snakemake} --directory {here}/smoke --resources gpu=4"
            " --configfile config/smoke.yaml",
            240,
            quoted=False,
        ),
        Part("benchmark", f"{python} -m benchmarks.training --device cuda --side-by-side", 360),
        Part(
            "paper",
            f"mkdir -p {here}/paper && {snakemake} --directory {here}/paper -- paper"
            " results/evidence/configuration.json",
            420,
            quoted=False,
        ),
        Part(
            "agreement with the reference",
            f"{evidence} && {python} -m hrta verify --partial {here}/paper/results/evidence"
            " data/reference",
            60,
        ),
        *(
            Part(tool, f"{sanitizer} --tool {tool} {training}", 80, program="compute-sanitizer")
            for tool in ("memcheck", "racecheck")
        ),
    ]


def run(part: Part) -> Outcome:
    """Run a part, with its output in a file beside the report."""
    log, started = log_of(part), time.monotonic()
    if part.program and shutil.which(part.program) is None:
        log.write_text(f"{part.program} is not on the PATH\n")
        return Outcome(part, 0.0, LEFT_OUT)
    print(f"{part.name} ...", flush=True)
    with log.open("w") as file:
        process = subprocess.Popen(
            ["bash", "-c", part.command],
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(part.limit)
            result = f"exit status {status}" if status else PASSED
        except subprocess.TimeoutExpired:
            result = f"stopped after {part.limit} s"
        finally:
            # Snakemake's jobs, too.
            stop(process)
    return Outcome(part, time.monotonic() - started, result)


def stop(process: subprocess.Popen) -> None:
    """End a process and all that it started."""
    try:
        os.killpg(process.pid, 15)
        process.wait(20)
    except ProcessLookupError:
        pass
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()


def log_of(part: Part) -> Path:
    """The file of a part's output."""
    return OUTPUT / f"{part.name.replace(' ', '_')}.log"


def report(outcomes: list[Outcome]) -> str:
    """The report as Markdown."""
    lines = [
        "# On a GPU",
        "",
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}.",
        "",
        "| part | seconds | result |",
        "| --- | ---: | --- |",
    ]
    lines += [f"| {each.part.name} | {each.seconds:.0f} | {each.result} |" for each in outcomes]
    for each in outcomes:
        if each.wrong or each.part.quoted:
            said = log_of(each.part).read_text(errors="replace").splitlines()[-QUOTED:]
            lines += ["", f"## {each.part.name}", "", f"    {each.part.command}", "", "```"]
            lines += [*said, "```"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run all parts, and write the report after each."""
    if not torch.cuda.is_available():
        sys.exit("make gpu: torch must find a CUDA GPU; it finds none")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    outcomes = []
    for part in parts():
        outcomes.append(run(part))
        print(f"{part.name}: {outcomes[-1].result}", flush=True)
        with whole_file(OUTPUT / "report.md") as temporary:
            temporary.write_text(report(outcomes))
    print(f"see {OUTPUT / 'report.md'}")
    sys.exit(any(each.wrong for each in outcomes))


if __name__ == "__main__":
    main()
