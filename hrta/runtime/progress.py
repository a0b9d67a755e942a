"""Progress of a long computation on standard error."""

import sys

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
