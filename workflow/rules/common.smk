# What all stages share: the checked configuration, the package's sources.

import ast
import json
import os
import sys
from pathlib import Path

# Relative where the workflow runs in its own folder, so that the folder can be moved.
ROOT = Path(os.path.relpath(workflow.basedir))

sys.path.insert(0, workflow.basedir)

import yaml

from hrta.study.config.mistakes import ConfigError
from hrta.study.config.replication import check_config


def in_order_of(base, given):
    """The mapping with the keys of base first, in their order, all the way down.

    What a file given with --configfile has would come first otherwise; but the first of all methods
    is what the others are compared with, and figures show them in order.
    """
    if not (isinstance(base, dict) and isinstance(given, dict)):
        return given
    keys = dict.fromkeys([*(key for key in base if key in given), *given])
    return {key: in_order_of(base.get(key), given[key]) for key in keys}


with Path(workflow.basedir, "config/replication.yaml").open() as replication:
    config = in_order_of(yaml.safe_load(replication), config)

try:
    settings = check_config(config)
except ConfigError as error:
    sys.exit(str(error))


# The rules name environment.yml as their environment, but its lock is found only beside it.
if workflow.deployment_settings.deployment_method:
    sys.exit(
        "workflow: no --software-deployment-method here; make the one environment of all rules "
        "with `make env` or from environment.yml, and run without"
    )


def files_of(name):
    """The files of a dotted name of the package: its module, and the packages that it is in."""
    parts = name.split(".")
    places = [Path(workflow.basedir, *parts[: i + 1]) for i in range(len(parts))]
    packages = [place / "__init__.py" for place in places[1:]]
    return [file for file in [*packages, places[-1].with_suffix(".py")] if file.exists()]


def imported(file):
    """The dotted names that a module or a notebook imports from the package."""
    text = file.read_text()
    if file.suffix == ".ipynb":
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        text = "\n".join("".join(cell["source"]) for cell in cells)
    try:
        tree = ast.parse(text, filename=str(file))
    except SyntaxError as error:
        sys.exit(f"workflow: {error.filename}:{error.lineno}: {error.msg}")
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hrta"):
            yield from (node.module, *(f"{node.module}.{part.name}" for part in node.names))
        elif isinstance(node, ast.Import):
            yield from (part.name for part in node.names if part.name.startswith("hrta"))


def sources(*modules):
    """The files of these modules of the package and of all of the package that they import."""
    found, waiting = set(), list(modules)
    while waiting:
        for file in files_of(waiting.pop()):
            if file not in found:
                found.add(file)
                waiting += imported(file)
    return sorted(str(ROOT / file.relative_to(workflow.basedir)) for file in found)


wildcard_constraints:
    experiment="|".join(settings.experiments),
    optimizer="|".join(settings.optimizers),
    width=r"\d+",
