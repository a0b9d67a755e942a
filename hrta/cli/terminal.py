"""The terminal that a command prints to."""

import shutil
import sys


def terminal_width() -> int | None:
    """The columns of the terminal that standard output is; None for a pipe or a file."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
