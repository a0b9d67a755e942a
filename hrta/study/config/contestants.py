"""Who takes part in the race: a way to train, the grid that it is tuned on; and the rules."""

import json
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from hrta.schedules import Schedule
from hrta.study.config.stage_paths import LayerPath, Path
from hrta.study.config.values import (
    BaseName,
    Count,
    Number,
    OptimizerName,
    PositiveNumber,
    Several,
    Strict,
)

NonNegative = Annotated[Number, Field(ge=0)]
BelowOne = Annotated[Number, Field(ge=0, lt=1)]
# The trainers that fit classes, too; the others fit numbers alone.
CLASSIFIERS = {"perceptron"}


@dataclass(frozen=True)
class Candidate:
    """One choice of the parameters that are tuned; None for one that a method does not have."""

    learning_rate: float | None = None
    momentum: float | None = None
    ridge: float | None = None
    history_size: int | None = None
    recovery: float | None = None


@dataclass(frozen=True)
class Rules:
    """What is the same for all contestants.

    Attributes:
        evaluations: of the gradient, for each run.
        tuning_seeds, seeds: how many.
        decay: final over initial learning rate, where there is one.
        rows: logged of each run, about; L-BFGS and ANMIN have rows of their own.
        final_fraction: of the steps, whose median loss is the final loss.
    """

    evaluations: int
    tuning_seeds: int
    seeds: int
    decay: float = 0.1
    rows: int = 200
    final_fraction: float = 0.02


class Grid(Strict):
    """The values that are tried, each with each; what a method does not have is left out."""

    learning_rate: Several[PositiveNumber] | None = None
    momentum: Several[BelowOne] | None = None
    ridge: Several[PositiveNumber] | None = None
    history_size: Several[Count] | None = None
    recovery: Several[NonNegative] | None = None

    @property
    def candidates(self) -> list[Candidate]:
        """All combinations."""
        values = {name: value for name, value in self if value is not None}
        every = product(*values.values())
        return [Candidate(**dict(zip(values, each, strict=True))) for each in every]


class GradientMethod(Path):
    """`hrta.train`: a path, an optimizer, all points at once or in minibatches."""

    trainer: Literal["gradient"]
    optimizer: OptimizerName
    batches: Count = 1

    @property
    def tuned(self) -> set[str]:
        """The names of the parameters that a grid must have."""
        momentum = self.optimizer in ("heavy_ball", "nesterov")
        return {"learning_rate", "momentum"} if momentum else {"learning_rate"}


class PerceptronMethod(LayerPath):
    """`ModuleFit`: networks of L hidden layers with any activation, under Adam.

    Attributes:
        base: the activation sigma.
        hidden: L.
    """

    trainer: Literal["perceptron"]
    base: BaseName
    hidden: Count

    @property
    def tuned(self) -> set[str]:
        """The names of the parameters that a grid must have."""
        return {"learning_rate"}

    @property
    def stage_count(self) -> int:
        """How many stages there are."""
        return len(self.of_layers(self.hidden))

    def schedules(self, steps: int) -> list[Schedule]:
        """The stages of each hidden layer as so many steps in all."""
        layers = zip(*self.of_layers(self.hidden), strict=True)
        return [Schedule.equal_parts(s, steps) for s in layers]


class AdaptiveMethod(Strict):
    """A two-layer network whose activations have trainable slopes, under Adam."""

    trainer: Literal["laaf"]
    activation: Literal["relu", "tanh"]
    adaptive: Literal["none", "layer", "neuron"]
    scale: Annotated[Number, Field(ge=1)] = 10.0

    @property
    def tuned(self) -> set[str]:
        """The names of the parameters that a grid must have."""
        fixed = self.adaptive == "none"
        return {"learning_rate"} if fixed else {"learning_rate", "recovery"}


class LimitedMemoryMethod(Strict):
    """`hrta.training.lbfgs`."""

    trainer: Literal["lbfgs"]

    @property
    def tuned(self) -> set[str]:
        """The names of the parameters that a grid must have."""
        return {"learning_rate", "history_size"}


class AnalyticMethod(Strict):
    """`hrta.anmin`."""

    trainer: Literal["anmin"]
    rounds: Count = 30
    leak: BelowOne = 0.0

    @property
    def tuned(self) -> set[str]:
        """The names of the parameters that a grid must have."""
        return {"ridge"}


Contestant = Annotated[
    GradientMethod | PerceptronMethod | AdaptiveMethod | LimitedMemoryMethod | AnalyticMethod,
    Field(discriminator="trainer"),
]


def check_grid(contestant: Contestant, grid: Grid) -> None:
    """Whether a grid has values of what the contestant has, and of nothing else.

    Raises:
        ValueError: a grid that lacks a parameter of the contestant, or has one that it has not.
    """
    given = {name for name, value in grid if value is not None}
    if given != contestant.tuned:
        raise ValueError(
            f"its grid must have values of {', '.join(sorted(contestant.tuned))}, and of nothing "
            f"else; it has {', '.join(sorted(given)) or 'none'}"
        )


class Entry(Strict):
    """A contestant with its grid, as one JSON text."""

    method: Contestant
    grid: Grid


def read_entry(text: str) -> Entry:
    """An entry from JSON, checked.

    Raises:
        ValueError: what is wrong with it, in one line.
    """
    try:
        entry = Entry.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise ValueError(f"entry: no JSON ({error})") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"]) or "entry"
        message = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"entry: {where}: {message[0].lower()}{message[1:]}") from None
    try:
        check_grid(entry.method, entry.grid)
    except ValueError as error:
        raise ValueError(f"entry: {error}") from None
    return entry
