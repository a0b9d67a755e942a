"""The machines and the code of a replication, and whether another must be the same bit for bit."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Folders among the results that the evidence is not made from.
OTHERS = {"smoke", "benchmarks", "benchmarks_training"}
FACTS = ("versions", "platform", "cpu", "cpu_model", "device")


def records_of(results: str | Path) -> list[Path]:
    """The records of a full run: the JSON files with a result of the same name."""
    results = Path(results)
    return [
        file
        for file in sorted(results.rglob("*.json"))
        if file.with_suffix(".parquet").is_file()
        and OTHERS.isdisjoint(file.relative_to(results).parts)
        and "versions" in read_json(file)
    ]


def machines(records: Iterable[str | Path]) -> list[dict[str, Any]]:
    """The distinct combinations of versions, platform, processor and device of the results.

    Raises:
        ValueError: no records.
    """
    found = {}
    for file in records:
        record = read_json(Path(file))
        machine = {name: record.get(name) for name in FACTS}
        # The version of the imported torch has a suffix, as in 2.9.0+cpu.
        versions = machine["versions"] or {}
        machine["versions"] = {name: str(v).partition("+")[0] for name, v in versions.items()}
        found[json.dumps(machine, sort_keys=True)] = machine
    if not found:
        raise ValueError("reference: no records beside the results")
    return [found[name] for name in sorted(found)]


def processors(environment: dict[str, Any] | None) -> str:
    """The processors that an environment.json names."""
    known = environment or {}
    names = {str(machine.get("cpu") or "unknown") for machine in known.get("machines", [])}
    return ", ".join(sorted(names)) or "processor not recorded"


def alike(reference: dict[str, Any] | None, fresh: dict[str, Any] | None) -> bool:
    """Whether two replications must be the same bit for bit.

    They must if both were made by one processor model, with the same code, versions, C library and
    device, all of which both record.
    """
    if not (reference and fresh):
        return False
    sides = [(each.get("code"), _decisive(each)) for each in (reference, fresh)]
    return sides[0] == sides[1] and None not in sides[0]


def _decisive(environment: dict[str, Any]) -> list[str] | None:
    """What the numbers of a run depend on besides the code; None if it is not recorded."""
    machines = environment.get("machines", [])
    if not all(each.get("cpu_model") and each.get("platform") for each in machines):
        return None
    known = (each | {"platform": each["platform"].rpartition("-with-")[2]} for each in machines)
    return sorted(json.dumps(each, sort_keys=True) for each in known) or None


def read_json(file: Path) -> dict[str, Any]:
    """The content of a JSON file with an object.

    Raises:
        ValueError: a file that is missing, not readable, too deeply nested or not an object.
    """
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise ValueError(f"{file}: there is no such file") from None
    except RecursionError:
        raise ValueError(f"{file}: not readable (too deeply nested)") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{file}: not readable ({error})") from None
    if not isinstance(content, dict):
        raise ValueError(f"{file}: must be a JSON object")
    return content
