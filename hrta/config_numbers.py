"""What of a configuration the results depend on, as one flat mapping."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

# What says where a number comes from, how it is shown, how the work is divided and on what it is
# done; the same results come of it.
OF_NO_WEIGHT = {
    *("label", "paper", "source", "unit", "note"),
    *("baseline", "curves", "targets", "against"),
    *("job", "family", "together", "device", "engine"),
}


def numbers_of(settings: BaseModel) -> dict[str, object]:
    """The values that results depend on, each under its path in the file, such as seeds.

    Args:
        settings: a checked configuration.
    """
    return dict(_flat(settings.model_dump(mode="json", exclude_none=True), ""))


def _flat(part: Any, path: str) -> Iterator[tuple[str, object]]:
    if not isinstance(part, dict):
        yield path, part
    elif "value" in part and "source" in part:
        yield from _flat(part["value"], path)
    else:
        for name, value in part.items():
            if name not in OF_NO_WEIGHT:
                yield from _flat(value, f"{path}.{name}" if path else name)
