"""Numbers, names and flags among arguments of any type."""

from collections.abc import Collection
from math import nan
from typing import Any

import numpy as np


def as_number(value: Any) -> float:
    """The value as a float; NaN, which is in no range, if it is not a single real number."""
    if isinstance(value, str | bytes | np.complexfloating):
        return nan
    try:
        return float(value) if np.ndim(value) == 0 else nan
    except (TypeError, ValueError, OverflowError):
        return nan


def as_flag(value: object, name: str) -> bool:
    """True or False; another value is a ValueError that begins with the name."""
    if as_number(value) not in (0, 1):
        raise ValueError(f"{name} must be True or False; it is {value!r}")
    return bool(value)


def is_one_of(value: object, names: Collection[str]) -> bool:
    """Whether the value is one of the names; also for values that cannot be hashed."""
    return isinstance(value, str) and value in names
