"""Mistakes in a configuration or a spec: one line each, with the key and what is allowed."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

Model = TypeVar("Model")


class ConfigError(ValueError):
    """Mistakes in a configuration or a spec, one line each."""


def refuse(at: Sequence[str], given: Any, why: str) -> NoReturn:
    """Raise the error of a validator for a key inside the model.

    Args:
        at: path of the key, relative to the model.
        given: its value.
        why: what is allowed.
    """
    context = {"at": list(at), "given": repr(given), "why": why}
    raise PydanticCustomError("mistake", "{why}", context)


def check_names(at: Sequence[str], names: Collection[str], known: Collection[str]) -> None:
    """Refuse the first name that is not a known one."""
    for name in names:
        if name not in known:
            refuse(at, name, f"allowed are {', '.join(known)}")


def check_stages(at: Sequence[str], stages: Mapping[str, Sequence[float]]) -> None:
    """Refuse methods, given as the s of each stage, that differ in the number of stages."""
    lengths = {name: len(s) for name, s in stages.items()}
    if len(set(lengths.values())) > 1:
        refuse(at, lengths, "all must have the same number of stages")


def relay(error: ValidationError) -> NoReturn:
    """Raise the error of a validator for the first mistake in a model made from this one."""
    first = error.errors()[0]
    context = first.get("ctx", {})
    at = [*map(str, first["loc"]), *context.get("at", [])]
    given = context.get("given", repr(first["input"]))
    why = first["msg"].removeprefix("Value error, ")
    raise PydanticCustomError("mistake", "{why}", {"at": at, "given": given, "why": why}) from None


def checked(model: type[Model] | TypeAdapter[Model], content: Any, name: str) -> Model:
    """The content as a model.

    Args:
        model: the model, or an adapter of it.
        content: mappings, lists and values.
        name: of the content; every line begins with it.

    Raises:
        ConfigError: one line for each mistake: the path of the key, the given value, what is
            allowed.
    """
    adapter = model if isinstance(model, TypeAdapter) else TypeAdapter(model)
    try:
        return adapter.validate_python(content)
    except ValidationError as error:
        lines = [f"{name}: {_line(mistake)}" for mistake in error.errors()]
        raise ConfigError("\n".join(dict.fromkeys(lines))) from None


def _line(mistake: Mapping[str, Any]) -> str:
    context = mistake.get("ctx", {})
    # Parts in brackets are not keys of the file.
    steps = [step for step in mistake["loc"] if not str(step).startswith("[")]
    path = ".".join(str(step) for step in [*steps, *context.get("at", [])]) or "top level"
    message = mistake["msg"].removeprefix("Value error, ").replace("Input should", "must")
    if mistake["type"] in ("missing", "unknown_key"):
        return f"{path}: {message}"
    given = context.get("given", repr(mistake["input"]))
    if len(given) > 80:
        given = given[:77] + "..."
    return f"{path}: {given} given; {message[0].lower()}{message[1:]}"
