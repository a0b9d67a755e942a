"""The command line in a process of its own."""

import subprocess
import sys


def hrta(*arguments, **options):
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "hrta", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def without_announcement(standard_error):
    """The lines of a command, without the one that is there if the cache of kernels is empty."""
    lines = standard_error.splitlines()
    return [line for line in lines if not line.startswith("hrta: compiling the kernels")]
