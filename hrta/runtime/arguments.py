"""Arguments of any type: numbers, names and flags, and how messages show them."""

from collections.abc import Collection
from math import nan
from reprlib import repr as shortened
from typing import Any

import numpy as np

# What `float` accepts, or may accept, and is no number.
NO_NUMBERS = (
    *(str, bytes, bool, np.bool_, np.complexfloating),
    *(np.datetime64, np.timedelta64, np.ma.MaskedArray),
)
# The first integer that neither NumPy nor torch can count to.
TOO_LARGE = 2**63


def shown(value: object) -> str:
    """What a message shows of a value: its beginning, in one line."""
    return " ".join(shortened(value).split())


def number_or_none(value: Any) -> float | None:
    """The value as a float; None if it is not a single real number."""
    if isinstance(value, NO_NUMBERS):
        return None
    value = value.detach() if hasattr(value, "detach") else value
    try:
        return float(value) if isinstance(value, int | float) or not np.ndim(value) else None
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return None


def as_number(value: Any) -> float:
    """The value as a float; NaN, which is in no range, if it is not a single real number."""
    number = number_or_none(value)
    return nan if number is None else number


def as_integer(value: Any, name: str, least: int = 1) -> int:
    """The value as an int.

    Raises:
        ValueError: not an integer, below `least` (0 or 1), or from 2^63 on; the message begins with
            the name.
    """
    number = as_number(value)
    if not number.is_integer() or number < least or int(value) >= TOO_LARGE:
        kind = "a positive" if least else "a non-negative"
        limit = " below 2^63" if number >= TOO_LARGE else ""
        raise ValueError(f"{name} must be {kind} integer{limit}; it is {shown(value)}")
    return int(value)


def as_flag(value: object, name: str) -> bool:
    """True or False; another value is a ValueError that begins with the name."""
    if not isinstance(value, bool | np.bool_) and as_number(value) not in (0, 1):
        raise ValueError(f"{name} must be True or False; it is {shown(value)}")
    return bool(value)


def is_one_of(value: object, names: Collection[str]) -> bool:
    """Whether the value is one of the names; also for values that cannot be hashed."""
    return isinstance(value, str) and value in names


def check_one_of(value: object, names: Collection[str], what: str) -> None:
    """Raise a ValueError that lists the names and begins with `what` if the value is none."""
    if not is_one_of(value, names):
        raise ValueError(f"{what} must be one of {', '.join(names)}; it is {shown(value)}")


def check_type(value: object, wanted: type, name: str) -> None:
    """Raise a ValueError that begins with the name if the value is of another type."""
    if not isinstance(value, wanted):
        raise ValueError(f"{name} must be a {wanted.__name__}; it is a {type(value).__name__}")
