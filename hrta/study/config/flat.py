"""The values of a configuration that results depend on, as one flat mapping."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

# Keys that results do not depend on: sources and notes, labels and figures, the division into jobs,
# and the hardware.
IRRELEVANT = {
    *("label", "bases", "paper", "source", "unit", "note"),
    *("baseline", "curves", "targets", "against"),
    *("job", "family", "together", "by_rate_from", "device", "engine"),
}


# Names in older files, and what they are called now.
RENAMED = {"siblings": "competitors", "beyond": "extensions", "checkpoints": "solution_steps"}


def numbers_of(settings: BaseModel) -> dict[str, object]:
    """The values that results depend on, by their dotted paths in the file.

    Args:
        settings: a checked configuration.
    """
    return dict(_flat(settings.model_dump(mode="json", exclude_none=True), ""))


def relevant(numbers: Mapping[str, object]) -> dict[str, object]:
    """The values that results depend on, of a file that may list others, as older ones do.

    Args:
        numbers: values by their dotted paths, as `numbers_of` returns them.

    Returns:
        Values by their paths, in today's names.
    """
    parts = {path: path.split(".") for path in numbers}
    return {
        ".".join(RENAMED.get(part, part) for part in parts[path]): value
        for path, value in numbers.items()
        if IRRELEVANT.isdisjoint(parts[path])
    }


def _flat(part: Any, path: str) -> Iterator[tuple[str, object]]:
    if not isinstance(part, dict):
        yield path, part
    elif "value" in part and "source" in part:
        yield from _flat(part["value"], path)
    else:
        for name, value in part.items():
            if name not in IRRELEVANT:
                yield from _flat(value, f"{path}.{name}" if path else name)
