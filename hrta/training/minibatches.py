"""Minibatches: the points of each update of stochastic gradient descent."""

from dataclasses import dataclass

import numpy as np

from hrta.runtime.arguments import as_number, shown

# Number of epochs whose orders are drawn together.
EPOCHS = 64


@dataclass(frozen=True, eq=False)
class Minibatches:
    """Every epoch is a random permutation of the points, divided into batches, one per update.

    An incomplete last batch is dropped: an epoch has n // size updates.

    Attributes:
        seeds: seed of the permutations of each run, [R] int; the batches depend on it alone.
        points: n.
        size: size of a batch.

    Raises:
        ValueError: a size that is not an integer in [1, n].

    Source: Robbins and Monro (1951); sampling without replacement, as is usual.
    """

    seeds: np.ndarray
    points: int
    size: int

    def __post_init__(self) -> None:
        size = as_number(self.size)
        if not (1 <= size <= self.points and size.is_integer()):
            raise ValueError(
                f"minibatches: batch_size must be an integer in [1, {self.points}], the number of "
                f"points; it is {shown(self.size)}"
            )
        object.__setattr__(self, "size", int(self.size))

    @property
    def updates_per_epoch(self) -> int:
        """Number of updates in an epoch."""
        return self.points // self.size

    def of_run(self, run: int, first: int, last: int) -> np.ndarray:
        """The points of the updates first + 1 .. last of a run, [last - first, size]."""
        length = EPOCHS * self.updates_per_epoch
        blocks = range(first // length, -(-last // length))
        batches = np.concatenate([self._block(run, block) for block in blocks])
        return batches[first - blocks.start * length : last - blocks.start * length]

    def of_runs(self, runs: np.ndarray, first: int, last: int) -> np.ndarray:
        """`of_run` for some runs, [R', last - first, size], in this order in memory."""
        # NumPy would keep the order of axes in memory that the permutations have.
        return np.ascontiguousarray(np.stack([self.of_run(run, first, last) for run in runs]))

    def _block(self, run: int, block: int) -> np.ndarray:
        """The batches of EPOCHS epochs; each block has its own random generator."""
        random = np.random.default_rng([int(self.seeds[run]), block])
        points = np.broadcast_to(np.arange(self.points), (EPOCHS, self.points))
        orders = random.permuted(points, axis=1)
        return orders[:, : self.updates_per_epoch * self.size].reshape(-1, self.size)
