"""YAML that people write: what it would take silently, or expand without end, is refused."""

from collections.abc import Iterable
from pathlib import Path

import yaml

from hrta.study.config.mistakes import ConfigError

# Of lists and mappings in each other; the time to read them grows with its square.
DEEPEST = 100
# The parser in C, where there is one.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str, name: str) -> object:
    """The content of a YAML text.

    Args:
        text: the text.
        name: of the text; the message begins with it.

    Raises:
        ConfigError: not YAML, more than `DEEPEST` lists and mappings in each other, a key that is
            given twice in one mapping, or an alias (*name) inside of what has an anchor (&name):
            such aliases can expand without end.
    """
    try:
        _check_aliases(yaml.parse(text, Loader=LOADER), name)
        _check_keys(yaml.compose(text, Loader=LOADER), name)
        return yaml.load(text, Loader=LOADER)
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: not YAML ({' '.join(str(error).split())})") from None


def check_files(files: Iterable[str | Path]) -> None:
    """Check files of the configuration, which Snakemake reads.

    Raises:
        ConfigError: as `read_yaml`.
    """
    for file in files:
        text = Path(file).read_text(encoding="utf-8")
        # JSON is YAML, except for tabs between its values.
        read_yaml(text.replace("\t", " ") if Path(file).suffix == ".json" else text, str(file))


def _check_aliases(events: Iterable[yaml.Event], name: str) -> None:
    anchors = []
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            anchors.append(event.anchor)
            if len(anchors) > DEEPEST:
                raise ConfigError(
                    f"{name}, line {event.start_mark.line + 1}: more than {DEEPEST} lists and "
                    "mappings in each other"
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            anchors.pop()
        elif isinstance(event, yaml.AliasEvent) and any(anchors):
            raise ConfigError(
                f"{name}, line {event.start_mark.line + 1}: *{event.anchor} must not be inside of "
                "what has an anchor itself; write the values out"
            )


def _check_keys(root: yaml.Node | None, name: str) -> None:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            lines = {}
            for key, value in node.value:
                line, which = key.start_mark.line + 1, (key.tag, str(key.value))
                if which in lines:
                    raise ConfigError(
                        f"{name}, line {line}: key {key.value} is given twice; first in line "
                        f"{lines[which]}"
                    )
                lines[which] = line
                waiting.append(value)
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
