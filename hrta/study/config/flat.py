"""What of a configuration the results depend on, as one flat mapping."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

# What says where a number comes from, how it is shown, how the work is divided and on what it is
# done; the same results come of it.
OF_NO_WEIGHT = {
    *("label", "bases", "paper", "source", "unit", "note"),
    *("baseline", "curves", "targets", "against"),
    *("job", "family", "together", "device", "engine"),
}


def numbers_of(settings: BaseModel) -> dict[str, object]:
    """The values that results depend on, each under its path in the file, such as seeds.

    Args:
        settings: a checked configuration.
    """
    return dict(_flat(settings.model_dump(mode="json", exclude_none=True), ""))


def of_weight(numbers: Mapping[str, object]) -> dict[str, object]:
    """Without what results do not depend on, which older files may list.

    Args:
        numbers: values under their paths, as `numbers_of` makes them.
    """
    return {
        path: value for path, value in numbers.items() if OF_NO_WEIGHT.isdisjoint(path.split("."))
    }


def _flat(part: Any, path: str) -> Iterator[tuple[str, object]]:
    if not isinstance(part, dict):
        yield path, part
    elif "value" in part and "source" in part:
        yield from _flat(part["value"], path)
    else:
        for name, value in part.items():
            if name not in OF_NO_WEIGHT:
                yield from _flat(value, f"{path}.{name}" if path else name)
