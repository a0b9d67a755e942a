import numpy as np
import pytest

from benchmarks import gram


def test_without_the_peer_it_says_how_to_get_it(tmp_path):
    with pytest.raises(SystemExit, match="there is no such interpreter; `make bench-gram`"):
        gram.main(peer_python=tmp_path / "python", output=tmp_path)
    assert not list(tmp_path.iterdir())


class Peer:
    """Answers as the peer does, with a matrix that is off by a factor."""

    def __init__(self, factor):
        self.stdin = self.stdout = self
        self.factor, self.file = factor, ""

    def write(self, text):
        self.file += text

    def flush(self):
        points = np.load(self.file.strip())
        self.file = ""
        self.answer = f"0.5 {self.factor * gram.ntk.gram(points, 1.0).sum()}\n"

    def readline(self):
        return self.answer


def test_only_what_computes_the_same_is_timed():
    x = np.random.default_rng(0).standard_normal((20, 2))
    ours, theirs = gram._in_turns(Peer(1.0), x)
    assert theirs == [0.5] * gram.REPEATS
    assert len(ours) == gram.REPEATS
    with pytest.raises(SystemExit, match="the kernels differ"):
        gram._in_turns(Peer(1.001), x)
