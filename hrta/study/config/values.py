"""The basic types of the configuration: constrained numbers, names, and strict models."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from hrta.runtime.memory import need_memory

Value = TypeVar("Value")
Source = Literal["abstract", "review", "derived", "literature", "assumed", "ours"]
OptimizerName = Literal["gradient_descent", "heavy_ball", "nesterov", "adam"]
# Those that have a momentum.
WITH_MOMENTUM = ("heavy_ball", "nesterov")
BaseName = Literal["relu", "relu2", "tanh", "gelu", "silu", "softplus", "sine"]
Dtype = Literal["float32", "float64"]
Device = Literal["auto", "cpu", "cuda"]
EngineName = Literal["auto", "torch", "numba", "triton"]
QuadratureName = Literal["grid", "monte_carlo"]
# The activation of networks with adaptive slopes, and what shares one slope.
Activation = Literal["tanh", "relu"]
Adaptive = Literal["none", "layer", "neuron"]


# Old and new names of renamed keys and values.
RENAMED = {
    "siblings": "competitors",
    "beyond": "extensions",
    "checkpoints": "solution_steps",
    "reference": "torch",
    "cpu": "numba",
    "cuda": "triton",
}


def _no_boolean(given: Any) -> Any:
    if isinstance(given, bool):
        raise ValueError("must be a valid number")
    return given


def _fitting(size: int, count: int) -> int:
    """The count, if so many items of at least that size [bytes] fit into memory."""
    try:
        need_memory(size * count, "too many")
    except MemoryError as error:
        raise ValueError(str(error)) from None
    return count


Count = Annotated[int, Field(ge=1, strict=True)]
# A run has at least 10 kB of weights and history, a point at least its coordinate and target.
Seeds = Annotated[Count, AfterValidator(partial(_fitting, 10_000))]
Points = Annotated[Count, AfterValidator(partial(_fitting, 16))]
# Not strict, because YAML reads 1e-3 as text; but true and false are not allowed as numbers.
Number = Annotated[float, BeforeValidator(_no_boolean)]
HomotopyParameter = Annotated[Number, Field(ge=0, le=2)]
PositiveNumber = Annotated[Number, Field(gt=0)]
NonNegative = Annotated[Number, Field(ge=0)]
BelowOne = Annotated[Number, Field(ge=0, lt=1)]
Fraction = Annotated[Number, Field(gt=0, le=1)]
Label = Annotated[str, Field(min_length=1)]


def _not_periodic(name: str) -> str:
    # As Snakemake, which takes such an end for an infinite recursion.
    if re.search(r"(.+)\1{19}$", name):
        raise ValueError("must not repeat the same letters 20 times")
    return name


# Names are parts of paths, whose parts have 255 characters at most, and of Snakemake's wildcards.
Name = Annotated[
    str,
    Field(pattern=r"^[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*$", max_length=60),
    AfterValidator(_not_periodic),
]
Item = TypeVar("Item")


def _distinct(items: list[Item]) -> list[Item]:
    if len(set(items)) < len(items):
        raise ValueError("entries must differ")
    return items


Several = Annotated[list[Item], Field(min_length=1), AfterValidator(_distinct)]


class Strict(BaseModel):
    """A frozen model that refuses unknown keys with a list of the allowed ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    @classmethod
    def of(cls, *sections: BaseModel, **fields: object) -> Self:
        """A model with these fields; the other fields are taken by name from the sections.

        If several sections have a value of that name, the last one counts.
        """
        values = {}
        for section in sections:
            for name, value in section:
                if name in cls.model_fields and value is not None:
                    values[name] = value.value if isinstance(value, Sourced) else value
        return cls(**{**values, **fields})

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            for key in given:
                if key not in cls.model_fields:
                    renamed = RENAMED.get(key) if isinstance(key, str) else None
                    known = renamed in cls.model_fields
                    allowed = f"it was renamed to {renamed}" if known else "allowed are {allowed}"
                    raise PydanticCustomError(
                        "unknown_key",
                        f"unknown key; {allowed}",
                        {"at": [key], "allowed": ", ".join(cls.model_fields)},
                    )
        return given


class Sourced(Strict, Generic[Value]):
    """A value with its source, unit and note."""

    value: Value
    source: Source
    unit: str | None = None
    note: str | None = None


class Method(Strict):
    """A method: the homotopy parameter of each stage."""

    label: Label
    s: Annotated[list[HomotopyParameter], Field(min_length=1)]
    source: Source
