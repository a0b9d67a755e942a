"""A few kills; `make chaos` has more."""

import pytest
from chaos import VICTIMS, chaos


@pytest.mark.slow
def test_after_kills_at_random_moments_no_number_differs(tmp_path):
    counts = chaos(tmp_path, kills=3, seed=1)
    assert sum(counts[victim] for victim in VICTIMS) == 3
