"""The command line in a process of its own."""

import subprocess
import sys


def hrta(*arguments, **options):
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "hrta", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)
