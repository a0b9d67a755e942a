"""Progress of a long computation, and messages about it, on standard error."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm


class Progress:
    """A progress bar on a terminal, otherwise a line for each tenth of the steps."""

    def __init__(self, label: str) -> None:
        self.label, self.tenth = label, -1
        self.bar: tqdm | None = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def __call__(self, step: int, steps: int) -> None:
        if sys.stderr.isatty():
            self.bar = self.bar or tqdm(total=steps, desc=self.label, unit="step")
            self.bar.update(step - self.bar.n)
        elif self.tenth < (tenth := 10 * step // steps):
            self.tenth = tenth
            print(f"{self.label}: {step} of {steps}", file=sys.stderr, flush=True)


class _AboveTheBar(logging.Handler):
    """Prints each message on a line of its own, above a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(f"hrta: {record.getMessage()}", file=sys.stderr)


@contextmanager
def messages_shown() -> Iterator[None]:
    """Within the block the package's log messages, from level INFO on, are shown."""
    logger, handler = logging.getLogger("hrta"), _AboveTheBar()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
