"""The width of the terminal, and what is fitted to it."""

import os
import pty
import subprocess
import sys
import termios

from hrta.cli.terminal import terminal_width

SCRIPT = "from hrta.cli.terminal import terminal_width; print(terminal_width())"


def test_a_terminal_has_a_width():
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 67))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    subprocess.run([sys.executable, "-c", SCRIPT], stdout=end, env=environment, check=True)
    os.close(end)
    assert os.read(terminal, 100).strip() == b"67"
    os.close(terminal)


def test_a_pipe_has_none(capsys):
    assert terminal_width() is None
