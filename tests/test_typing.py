"""The types that users see; `make lint` checks those within the library."""

import subprocess
import sys

from small_run import ROOT


def test_type_checkers_know_the_public_names():
    command = [sys.executable, "-m", "mypy", "tests/typing_example.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "Success: no issues found in 1 source file\n"
