"""Minibatches: which points each update of stochastic gradient descent sees."""

from dataclasses import dataclass

import numpy as np

# Epochs whose orders are drawn at once.
EPOCHS = 64


@dataclass(frozen=True, eq=False)
class Minibatches:
    """Every epoch goes through the points in a random order of its own, a batch to an update.

    What the last batch of an epoch would lack is left out: an epoch has n // size updates.

    Attributes:
        seeds: of each run's order, [R] int; a run's batches depend on its own seed alone.
        points: n.
        size: of a batch.

    Raises:
        ValueError: a size outside [1, n].

    Source: Robbins and Monro (1951); without replacement, as is usual.
    """

    seeds: np.ndarray
    points: int
    size: int

    def __post_init__(self) -> None:
        if self.size != int(self.size) or not 1 <= self.size <= self.points:
            raise ValueError(
                f"minibatches: batch_size must be an integer in [1, {self.points}], the number of "
                f"points; it is {self.size}"
            )
        object.__setattr__(self, "size", int(self.size))

    @property
    def in_an_epoch(self) -> int:
        """Updates in an epoch."""
        return self.points // self.size

    def of_run(self, run: int, first: int, last: int) -> np.ndarray:
        """The points that the updates first + 1 .. last of a run see, [last - first, size]."""
        at_once = EPOCHS * self.in_an_epoch
        blocks = range(first // at_once, -(-last // at_once))
        batches = np.concatenate([self._block(run, block) for block in blocks])
        return batches[first - blocks.start * at_once : last - blocks.start * at_once]

    def _block(self, run: int, block: int) -> np.ndarray:
        """The batches of some epochs, with random numbers of their own."""
        random = np.random.default_rng([int(self.seeds[run]), block])
        in_order = np.broadcast_to(np.arange(self.points), (EPOCHS, self.points))
        orders = random.permuted(in_order, axis=1)
        return orders[:, : self.in_an_epoch * self.size].reshape(-1, self.size)
