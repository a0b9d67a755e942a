"""The fields of the specs of some results, and the entries of the configuration they come from."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from hrta.study.config.jobs import SPEC_TYPES

Json = Mapping[str, object]
# Fields of a spec that only say where its points are stored.
NOT_SHOWN = {"job", "source", "file", "digest"}
# The sections of the races, by the folders of their results.
RACES = {
    "race": "competitors.race",
    "schedules": "extensions.schedules",
    "activations": "extensions.activations",
    "depth": "extensions.depth",
}
ALIASES = {
    "width": "widths",
    "learning_rate": "learning_rates",
}


@dataclass(frozen=True)
class Row:
    """A field of the specs of some results.

    Attributes:
        job: kind of the specs.
        field: name of the field.
        value: all its values, as text.
        path: dotted path of its entry in the configuration; empty without one.
        source, unit, note: of this entry.
    """

    job: str
    field: str
    value: str
    path: str = ""
    source: str = ""
    unit: str = ""
    note: str = ""


def configured(specs: Mapping[str, Json], configuration: Json) -> list[Row]:
    """The fields of these specs with all their values, by kind of spec.

    Args:
        specs: by the names of their results, such as runs/sine1d/adam/width50.
        configuration: the configuration that they were made from.
    """
    entries, values = dict(_entries(configuration)), {}
    for name, spec in specs.items():
        for keys, value in _fields(spec):
            path = _path(name, spec, keys, value, entries)
            # The methods of a race are distinguished by their paths in the configuration.
            shown = [key for i, key in enumerate(keys) if (keys[0], i) != ("entries", 1)]
            row = (str(spec["job"]), ".".join(shown), path)
            values.setdefault(row, []).append(as_text(value))
    rows = []
    for (job, field, path), texts in values.items():
        entry = entries.get(path, {})
        rows.append(
            Row(
                job=job,
                field=field,
                value=", ".join(dict.fromkeys(texts)),
                path=path,
                source=str(entry.get("source", "")),
                unit=str(entry.get("unit", "")),
                note=str(entry.get("note", "")),
            )
        )
    return rows


def count_sources(configuration: Json) -> dict[str, int]:
    """The number of entries of the configuration with each source, the most frequent first."""
    return dict(Counter(str(each["source"]) for _, each in _entries(configuration)).most_common())


def as_text(value: object) -> str:
    """A value of a spec, the configuration or a notebook, on one line."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {as_text(each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(as_text(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _entries(part: object, path: str = "") -> Iterator[tuple[str, Json]]:
    """Every entry of the configuration that has a source, with its dotted path."""
    if isinstance(part, Mapping) and "source" in part:
        yield path, part
    elif isinstance(part, Mapping):
        for key, each in part.items():
            yield from _entries(each, f"{path}.{key}" if path else str(key))


def _fields(part: Json, *above: str) -> Iterator[tuple[tuple[str, ...], object]]:
    """The keys that lead to each value; elements of a list are named by their problem."""
    for key, value in part.items():
        keys = (*above, key)
        if key in NOT_SHOWN:
            continue
        if isinstance(value, Mapping) and keys[0::2] != ("entries", "method"):
            yield from _fields(value, *keys)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for each in value:
                yield from _fields(each, *keys, *_problem_name(each.get("problem")))
        else:
            yield keys, value


def _problem_name(source: object) -> list[str]:
    """The name in the configuration of the problem with this source."""
    if not isinstance(source, Mapping):
        return []
    return [PurePath(source["file"]).stem if "file" in source else str(source["name"])]


def _path(
    name: str, spec: Json, keys: tuple[str, ...], value: object, entries: Mapping[str, Json]
) -> str:
    """The dotted path of the entry that a field of a spec comes from; empty without one."""
    folder, *_, last = name.split("/")
    if keys[0] == "entries":
        return _path_of_method(RACES[folder], spec["entries"][keys[1]], keys, entries)
    about = str(spec.get("experiment", last)).removesuffix(f"_{spec.get('quadrature')}")
    names = {
        "problem": keys[1] if keys[0] == "problems" and len(keys) > 2 else about,
        "optimizer": spec.get("optimizer"),
        "race": RACES.get(folder),
    }
    tails = (".".join(keys), keys[-1], ALIASES.get(keys[-1]), spec.get("optimizer"))
    for section in SPEC_TYPES[str(spec["job"])].sections:
        for tail in tails:
            path = f"{section.format(**names)}.{tail}".strip(".")
            if path in entries and _has(entries[path], value):
                return path
    return ""


def _path_of_method(
    race: str, entry: Json, keys: tuple[str, ...], entries: Mapping[str, Json]
) -> str:
    """The dotted path of the entry of a race's method or its grid."""
    name, part, method = keys[1], keys[2], entry["method"]
    if own := entries.get(f"{race}.methods.{name}"):
        return f"{race}.methods.{name}" if part == "method" else f"{race}.grids.{own['grid']}"
    if race == "extensions.schedules":
        optimizer = method["optimizer"]
        variant = f"{race}.variants.{name.removesuffix(f'_{optimizer}')}"
        return variant if part == "method" else f"{race}.optimizers.{optimizer}.grid"
    path = name.removeprefix(f"{method['base']}_{method['hidden']}_")
    return f"{race}.paths.{path}" if part == "method" else f"{race}.grid"


def _has(entry: Json, value: object) -> bool:
    """Whether an entry has this value, or has it or all its elements in a list."""
    given = _numbers(entry.get("value", entry.get("s")))
    asked = _numbers(value)
    if given == asked:
        return True
    parts = asked if isinstance(asked, list) else [asked]
    return isinstance(given, list) and all(part in given for part in parts)


def _numbers(value: object) -> object:
    """The value with numbers for texts of numbers, as YAML reads 1e-3 as text."""
    if isinstance(value, list):
        return [_numbers(each) for each in value]
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
