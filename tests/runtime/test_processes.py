import subprocess
import sys

import pytest
import torch

from hrta.runtime.processes import denormals_flushed

SCRIPT = """
import sys, time
from hrta.runtime.processes import end_on_sigterm, end_with
end_on_sigterm()
try:
    end_with({parent})
    print("started", flush=True)
    time.sleep(20)
finally:
    print("cleaned up", flush=True)
"""


def test_sigterm_lets_a_process_clean_up():
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(parent=None)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "started\n"
        process.terminate()
        assert process.stdout.read() == "cleaned up\n"
    assert process.returncode == 143


def test_a_process_ends_when_its_parent_is_another():
    """One whose parent has died has been given to another; 0 is never the parent here."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(parent=0)],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    assert done.stdout.endswith("cleaned up\n")
    assert done.returncode == 143


def denormal():
    return torch.full((40,), torch.finfo(torch.float32).tiny) / 2


@pytest.mark.parametrize("before", [False, True])
def test_denormal_numbers_are_zero_for_a_while(before):
    if not torch.set_flush_denormal(before):
        pytest.skip("this CPU cannot flush denormal numbers")
    try:
        with denormals_flushed():
            assert not denormal().any()
        assert denormal().any().item() is not before
    finally:
        torch.set_flush_denormal(False)
