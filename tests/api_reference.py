"""docs/api.md from the docstrings of the public names.

    python tests/api_reference.py

writes it anew.
"""

from collections.abc import Iterator
from pathlib import Path

import griffe

import hrta
from hrta import HomotopyActivation
from hrta.integrations.lightning_hooks import LightningHooks
from hrta.integrations.transformers import HomotopyCallback

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/api.md"
TITLE = """# API reference

The public names, from their docstrings; `make pages` makes this page. How they are used in models
of your own is in [guide.md](guide.md), for two-layer networks in [extensions.md](extensions.md)."""
CALLBACK = "HomotopyCallback"
GROUPS = {
    "Activations": {"hrta.homotopy": hrta.homotopy, "hrta.HomotopyActivation": HomotopyActivation},
    "Models of your own": {
        "hrta.convert": hrta.convert,
        "hrta.converted": hrta.converted,
        "hrta.restore": hrta.restore,
        "hrta.load_converted": hrta.load_converted,
        "hrta.HomotopyScheduler": hrta.HomotopyScheduler,
        f"hrta.integrations.lightning.{CALLBACK}": LightningHooks,
        f"hrta.integrations.pytorch_lightning.{CALLBACK}": LightningHooks,
        f"hrta.integrations.transformers.{CALLBACK}": HomotopyCallback,
    },
    "Schedules": {
        "hrta.Stage": hrta.Stage,
        "hrta.Schedule": hrta.Schedule,
        "hrta.Plateau": hrta.Plateau,
    },
    "Two-layer networks": {
        "hrta.Problem": hrta.Problem,
        "hrta.TwoLayer": hrta.TwoLayer,
        "hrta.train": hrta.train,
        "hrta.Training": hrta.Training,
        "hrta.anmin.train": hrta.anmin.train,
    },
    "Tangent kernels": {
        "hrta.ntk.gram": hrta.ntk.gram,
        "hrta.ntk.empirical_gram": hrta.ntk.empirical_gram,
    },
}


def page() -> str:
    """The text of the page."""
    loader = griffe.GriffeLoader(search_paths=[ROOT], docstring_parser="google")
    parts = [TITLE]
    for title, things in GROUPS.items():
        parts.append(f"## {title}")
        for name, thing in things.items():
            parts += _entry(loader.load(f"{thing.__module__}.{thing.__qualname__}"), name)
    return "\n\n".join(parts) + "\n"


def _entry(found: griffe.Object, name: str) -> list[str]:
    """A name with its signature and docstring, and those of its methods."""
    parts = [f"### {name}", _signature(found, name), *_docstring(found)]
    # Hooks of a callback are called by its trainer.
    for member in found.members.values() if not name.endswith(CALLBACK) else ():
        if member.is_public and member.has_docstring:
            title = f"#### {name.rpartition('.')[2]}.{member.name}"
            signature = [] if member.is_attribute else [_signature(member, member.name)]
            parts += [title, *signature, *_docstring(member)]
    return parts


def _signature(found: griffe.Object, name: str) -> str:
    signature = found.signature(name=name)
    if found.is_class and not signature:  # it is inherited
        signature = found.resolved_bases[0].signature(name=name)
    return f"```python\n{signature}\n```"


def _docstring(found: griffe.Object) -> Iterator[str]:
    """The sections of a docstring as Markdown."""
    for section in found.docstring.parsed:
        kind, value = section.kind.value, section.value
        if kind == "text":
            yield value
        elif kind == "admonition":
            yield f"*{section.title or value.kind.capitalize()}:* {value.description}"
        elif kind == "returns":
            yield f"*Returns:* {' '.join(each.description for each in value)}"
        else:
            by = "annotation" if kind in ("raises", "warns") else "name"
            yield f"*{kind.capitalize()}:*\n\n{_list(value, by)}"


def _list(items: list, name: str) -> str:
    """A list with a line for each item."""
    lines = (f"- `{getattr(each, name)}`: {' '.join(each.description.split())}" for each in items)
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
