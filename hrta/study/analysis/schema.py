"""The columns of every tidy table, and the groups of columns that runs are compared by."""

from collections.abc import Mapping
from dataclasses import dataclass

# What readers see for the names of methods, optimizers, experiments or problems, in order.
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """The columns of a tidy table.

    Attributes:
        run: identify a run, or a matrix.
        row: number the rows of a run.
        measured: what is measured, computed or configured; some are optional.
    """

    run: tuple[str, ...]
    row: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that identify a row."""
        return (*self.run, *self.row)


LOSSES = ("loss", "test_loss")
# Shares of misclassified points: they are never infinite.
SHARES = ("test_error",)
# What a run costs: gradient evaluations and wall-clock time.
CLOCKS = ("evaluations", "seconds")
# What the methods of a race are tuned in.
PARAMETERS = ("learning_rate", "momentum", "ridge", "history_size", "recovery")

TRAINING = Table(
    ("experiment", "problem", "width", "method", "optimizer", "learning_rate", "seed"),
    ("step", "stage", "s"),
    LOSSES,
)
POISSON = Table(
    TRAINING.run, TRAINING.row, ("loss", "exact_loss", "energy", "l2_error", "h1_error")
)
POISSON_SOLUTIONS = Table(
    ("experiment", "problem", "method", "learning_rate", "seed"),
    ("x1", "x2"),
    ("exact", "prediction"),
)
RACE = Table(
    ("problem", "width", "method", "seed"), ("step", *CLOCKS, "answer"), (*LOSSES, *SHARES)
)
TUNING = Table(
    ("problem", "width", "method", "candidate", "seed"),
    measured=(*PARAMETERS, *LOSSES, *SHARES, "chosen"),
)
SLOPES = Table(("experiment", "problem", "variant", "seed"), ("step",), ("loss", "slope"))
SLOPE_SOLUTIONS = Table(SLOPES.run, ("step", "x1"), ("y", "prediction"))
ACCELERATION = Table(
    ("experiment", "problem", "optimizer", "width", "seed"),
    ("step",),
    (
        *("loss", "predicted", "travel", "smallest", "largest", "smallest_start"),
        *("learning_rate", "momentum"),
    ),
)
SPECTRA = Table(
    ("experiment", "problem", "kernel", "width", "seed"), ("s", "index"), ("eigenvalue",)
)
WIDTH_LIMIT = Table(
    ("experiment", "problem", "s", "width", "seed"),
    measured=("kernel_error", "smallest", "smallest_limit", "smallest_error"),
)
SAMPLE_NUMBER = Table(("experiment", "problem", "s", "points"), measured=("smallest", "largest"))
MOTION = Table(
    ("experiment", "problem", "method", "optimizer", "width", "seed"),
    ("step", "stage", "s"),
    ("kernel_change", "inner_travel", "outer_travel"),
)
RATES = Table(
    ("experiment", "problem", "method", "width", "seed"),
    ("step", "stage", "s"),
    ("loss", "predicted", "bound", "smallest_limit", "smallest_end"),
)
JUMPS = Table(("experiment", "problem", "method"), measured=("before", "after", "expected_loss"))
ANMIN = Table(("problem", "width", "seed"), ("round",), ("loss", "fixed_pattern_loss", "test_loss"))
# The coordinates and the target follow, under the names of the problem.
POINTS = Table(("problem", "set"), ("point",))

# Runs of a cell differ in their seed only; methods are compared between cells, paired by seed.
CELL = ["experiment", "optimizer", "width", "learning_rate", "method"]
RUN = [*CELL, "seed"]
PAIR = ["problem", "width"]
RACE_CELL = [*PAIR, "method"]
RACE_RUN = [*RACE.run]
SLOPE_CELL = ["experiment", "variant", "step"]
# A median with its interval, and a ratio to a baseline with its interval.
MEDIAN = ["median", "low", "high"]
RATIO = ["ratio", "ratio_low", "ratio_high"]


def interval(name: str) -> list[str]:
    """The columns of a number and of the ends of its interval."""
    return [name, f"{name}_low", f"{name}_high"]


# The cells that claims are judged on; a column that does not apply to a cell is empty.
CLAIM_CELL = [
    *("problem", "width", "optimizer", "learning_rate"),
    *("network", "method", "baseline", "measure"),
]
