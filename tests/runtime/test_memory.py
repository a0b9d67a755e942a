"""Memory that a computation needs is compared with what is free."""

import sys

import pytest

from hrta.runtime.memory import need_memory


@pytest.mark.parametrize("psutil", [True, False])
def test_what_does_not_fit_is_refused_with_both_sizes(monkeypatch, psutil):
    if not psutil:
        monkeypatch.setitem(sys.modules, "psutil", None)
    need_memory(2**20, "small")
    with pytest.raises(MemoryError, match=r"^large: 1\.07e\+09 GiB needed, [\d.]+ GiB free$"):
        need_memory(2**60, "large")
