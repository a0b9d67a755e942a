import gc
import signal
import subprocess
import sys
import warnings

import pytest

from hrta.cli.main import main


@pytest.fixture(autouse=True)
def _collected():
    """A command exempts what is imported from garbage collection: its process runs no other."""
    yield
    gc.unfreeze()


@pytest.fixture
def in_this_process(monkeypatch, capsys):
    """Runs the command line here, which takes a hundredth of the time of a process of its own."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["hrta", *map(str, arguments)])
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        handler = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            signal.signal(signal.SIGTERM, handler)
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, ended.value.code, said.out, said.err)

    return run
