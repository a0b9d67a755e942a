"""The columns of every tidy table, and the groups of columns that runs are compared by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# The label shown for each name of a method, optimizer, experiment or problem, in order.
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """The columns of a tidy table.

    Attributes:
        run: identify a run, or a matrix.
        row: number the rows of a run.
        measured: what is measured, computed or configured.
        optional: those of `measured` that a table may lack.
        order: all columns in order; by default run, row, measured.
    """

    run: tuple[str, ...]
    row: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    order: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that identify a row."""
        return (*self.run, *self.row)

    @property
    def columns(self) -> list[str]:
        """All columns, in order."""
        return list(self.order or (*self.key, *self.measured))

    def select(self, table: "pd.DataFrame") -> "pd.DataFrame":
        """These columns of a table, in order; without the optional ones that it lacks.

        Raises:
            KeyError: a column that is not optional is missing.
        """
        return table[[name for name in self.columns if name in table or name not in self.optional]]


LOSSES = ("loss", "test_loss")
# Fractions of misclassified points; they are never infinite.
SHARES = ("test_error",)
# The cost of a run: gradient evaluations and wall-clock time.
CLOCKS = ("evaluations", "seconds")
# The parameters that the methods of a race are tuned in.
PARAMETERS = ("learning_rate", "momentum", "ridge", "history_size", "recovery")

TRAINING = Table(
    ("experiment", "problem", "width", "method", "optimizer", "learning_rate", "seed"),
    ("step", "stage", "s"),
    LOSSES,
    optional=("test_loss",),
)
POISSON = Table(
    TRAINING.run, TRAINING.row, ("loss", "exact_loss", "energy", "l2_error", "h1_error")
)
POISSON_SOLUTIONS = Table(
    ("experiment", "problem", "method", "learning_rate", "seed"),
    ("x1", "x2"),
    ("exact", "prediction"),
)
LBFGS = Table(("seed",), ("step", *CLOCKS), LOSSES, optional=("test_loss",))
LAAF = Table(("seed",), ("step",), LOSSES, optional=("test_loss",))
RACE = Table(
    ("problem", "width", "method", "seed"),
    ("step", *CLOCKS, "answer"),
    (*LOSSES, *SHARES),
    optional=SHARES,
)
TUNING = Table(
    ("problem", "width", "method", "candidate", "seed"),
    measured=(*PARAMETERS, *LOSSES, *SHARES, "chosen"),
    optional=SHARES,
    order=(
        *("problem", "width", "method", "candidate", *PARAMETERS),
        *("seed", *LOSSES, *SHARES, "chosen"),
    ),
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
ANMIN = Table(
    ("problem", "width", "seed"),
    ("round",),
    ("loss", "fixed_pattern_loss", "test_loss"),
    optional=("test_loss",),
)
# The columns of the coordinates and the target follow, named by the problem.
POINTS = Table(("problem", "set"), ("point",))

# Runs of a cell differ only in their seed; methods are compared between cells, paired by seed.
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
    """The columns of a number and of the bounds of its interval."""
    return [name, f"{name}_low", f"{name}_high"]


# The cells that claims are judged on; a column that does not apply to a cell is empty.
CLAIM_CELL = [
    *("problem", "width", "optimizer", "learning_rate"),
    *("network", "method", "baseline", "measure"),
]
