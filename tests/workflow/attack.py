"""Attacks that take minutes: odd folders, damaged files, full disks, kills, fuzzing.

`make attack`, or python tests/workflow/attack.py --minutes 60 --kills 20. Each attack runs a part
of the workflow on small numbers. Then every number must be as in an undisturbed run, or one line
must say what is wrong. The report is a line for each attack.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos import GONE_ON, chaos
from checkout import ROOT, Checkout

CONFIG = ("config/smoke.yaml", "attack.yaml")
SMALL = """
training: {stage_steps: {value: 20, source: ours}}
experiments:
  sine1d: {widths: {value: [8], source: ours}}
"""
RESULT = "results/runs/sine1d/adam/width8.parquet"
TARGETS = ("figure_sine1d", "figure_eigenvalues")
# A module of this text leaves a mark when it is imported.
SPY = "import os\nos.close(os.open({mark!r}, os.O_CREAT))\nraise SystemExit(3)\n"
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
NO_HOME = {"HOME": "/dev/null/none", "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": ""}
# Bytes of a disk on which no run ends.
TINY = 2**19


class SkippedError(Exception):
    """This machine does not allow the attack."""


class Ground:
    """Where the attacks are made, each on a run in a folder of its own.

    Attributes:
        folder: for all files.
        kills: number of kills.
        minutes: time of fuzzing.
        expected: the numbers of an undisturbed run.
    """

    def __init__(self, folder: Path, kills: int, minutes: float) -> None:
        self.folder, self.kills, self.minutes = folder, kills, minutes
        undisturbed = self.checkout("undisturbed")
        done = self.run(undisturbed)
        assert done.returncode == 0, done.stderr
        self.expected = undisturbed.numbers()

    def checkout(self, made: str, workflow: str = "workflow") -> Checkout:
        """A run in a folder of this name, of the workflow in the folder of that name."""
        checkout = Checkout(self.folder / workflow, str(self.folder / made))
        (checkout.folder / "attack.yaml").write_text(SMALL)
        checkout.made.mkdir(exist_ok=True)
        return checkout

    def run(self, checkout: Checkout, **environment: str) -> subprocess.CompletedProcess:
        """Run the targets."""
        return checkout.snakemake(*TARGETS, config=CONFIG, environment=environment)

    def check_same(self, checkout: Checkout, **environment: str) -> None:
        """A run ends well, and its numbers are as expected."""
        done = self.run(checkout, **environment)
        assert done.returncode == 0, done.stderr[-3000:]
        numbers = checkout.numbers().items()
        found = {name: value for name, value in numbers if not name.endswith(".broken")}
        names = {*found, *self.expected}
        differing = [name for name in names if found.get(name) != self.expected.get(name)]
        assert not differing, f"other than undisturbed: {differing}"

    def check_line(self, done: subprocess.CompletedProcess, line: str) -> None:
        """A run has ended with this line and without a traceback."""
        assert done.returncode != 0, "the run ended well"
        assert any(line in each for each in done.stderr.splitlines()), done.stderr[-3000:]
        assert "Traceback" not in done.stderr, done.stderr[-3000:]


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def overwritten(file: Path) -> None:
    file.write_bytes(os.urandom(file.stat().st_size))


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SkippedError(f"mount: {done.stderr.strip()}")


@contextmanager
def mounted(folder: Path, *arguments: str) -> Iterator[None]:
    """Within the block something is mounted on the folder."""
    if os.geteuid():
        raise SkippedError("only root can mount a disk")
    mount(*arguments, str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def modules_in_the_folder_of_the_run(ground: Ground) -> None:
    checkout, mark = ground.checkout("modules"), ground.folder / "imported"
    (checkout.made / "hrta").mkdir()
    for name in ("hrta/__init__", "numpy", "seaborn", "json", "pandas", "sitecustomize"):
        (checkout.made / f"{name}.py").write_text(SPY.format(mark=str(mark)))
    ground.check_same(checkout)
    assert not mark.exists(), "one was imported"


def a_module_in_the_folder_of_the_workflow(ground: Ground) -> None:
    checkout = ground.checkout("beside")
    file = checkout.folder / "numpy.py"
    file.write_text(SPY.format(mark="imported"))
    try:
        ground.check_line(ground.run(checkout), f"workflow: {file}: jobs would import it as numpy")
    finally:
        file.unlink()


def no_home_folder(ground: Ground) -> None:
    ground.check_same(ground.checkout("no_home"), **NO_HOME)


def an_ascii_locale(ground: Ground) -> None:
    ground.check_same(ground.checkout("ascii"), **ASCII)


def a_read_only_package_without_a_cache(ground: Ground) -> None:
    checkout = ground.checkout("of_read_only", "read_only")
    workflow = str(checkout.folder)
    with mounted(checkout.folder, "--bind", workflow):
        mount("-o", "remount,bind,ro", workflow)
        ground.check_same(checkout, **NO_HOME)


def braces_in_the_paths(ground: Ground) -> None:
    for made, workflow in (("run{0}{job}", "workflow"), ("other", "work{flow}")):
        done = ground.run(ground.checkout(made, workflow))
        ground.check_line(done, ": a path must not have braces; rename the folder")


def a_read_only_folder_of_the_run(ground: Ground) -> None:
    checkout = ground.checkout("fixed")
    with mounted(checkout.made, "-t", "tmpfs", "tmpfs"):
        mount("-o", "remount,ro", str(checkout.made))
        line = f"workflow: {checkout.made}: a run must be able to write here"
        ground.check_line(ground.run(checkout), line)


def damaged_results(ground: Ground) -> None:
    checkout = ground.checkout("damaged")
    ground.check_same(checkout)
    # What the workflow makes and reads again.
    for name in (RESULT, "results/spectra/sine1d.parquet", "data/sine1d.parquet"):
        for damage in (truncated, overwritten, emptied):
            file = checkout.made / name
            damage(file)
            ground.check_line(ground.run(checkout), f"{name}: not a readable result (")
            ground.check_same(checkout)


def damaged_checkpoints(ground: Ground) -> None:
    for damage in (truncated, overwritten, emptied):
        checkout = ground.checkout(f"checkpoint_{damage.__name__}")
        plan = checkout.snakemake(RESULT, options=("-n", "-p"), config=CONFIG)
        words = (plan.stdout + plan.stderr).split()
        file = checkout.made / words[words.index("--checkpoint") + 1]
        file.parent.mkdir(parents=True)
        file.write_bytes(os.urandom(1000))
        damage(file)
        ground.check_same(checkout)
        log = checkout.made / "logs/runs/sine1d/adam/width8.log"
        assert "not a complete checkpoint" in log.read_text(), log.read_text()


def a_full_disk(ground: Ground) -> None:
    checkout = ground.checkout("full")
    with mounted(checkout.made, "-t", "tmpfs", "-o", f"size={TINY}", "tmpfs"):
        done = ground.run(checkout)
        assert done.returncode != 0, "the disk was large enough"
        mount("-o", "remount,size=1g", str(checkout.made))
        ground.check_same(checkout)


def kills(ground: Ground) -> None:
    counts = chaos(ground.folder / "chaos", ground.kills, seed=int(time.time()))
    assert counts[GONE_ON], "no job went on from a checkpoint; try more kills"


def fuzzing(ground: Ground) -> None:
    """Begin again and again, with other random numbers, as long as there is time."""
    end = time.monotonic() + 60 * ground.minutes
    while time.monotonic() < end:
        command = [sys.executable, "-m", "pytest", "tests/test_fuzz.py", "-q"]
        environment = os.environ | {"FUZZ_EXAMPLES": "200", "PYTHONHASHSEED": "random"}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-6000:]


ATTACKS = (
    modules_in_the_folder_of_the_run,
    a_module_in_the_folder_of_the_workflow,
    no_home_folder,
    an_ascii_locale,
    a_read_only_package_without_a_cache,
    braces_in_the_paths,
    a_read_only_folder_of_the_run,
    damaged_results,
    damaged_checkpoints,
    a_full_disk,
    kills,
    fuzzing,
)


def attempt(attack: Callable[[Ground], None], ground: Ground) -> str:
    """What has come of an attack."""
    try:
        attack(ground)
    except SkippedError as error:
        return f"skipped: {error}"
    except (AssertionError, SystemExit) as error:
        return f"FAILED: {error}"
    return "held"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    names = [attack.__name__ for attack in ATTACKS]
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=f"of {', '.join(names)}")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=60, help="of fuzzing")
    arguments = parser.parse_args()
    wanted = arguments.attacks or names
    failed = False
    with tempfile.TemporaryDirectory() as made:
        ground = Ground(Path(made), arguments.kills, arguments.minutes)
        for attack in [each for each in ATTACKS if each.__name__ in wanted]:
            started = time.monotonic()
            outcome = attempt(attack, ground)
            failed |= outcome.startswith("FAILED")
            took = time.monotonic() - started
            print(f"{took:6.0f} s  {attack.__name__.replace('_', ' ')}: {outcome}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
