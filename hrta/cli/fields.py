"""The fields of a spec that are made from several options of a command."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from hrta.cli.options import NAMES
from hrta.problems.datasets import INCLUDED
from hrta.problems.targets import TARGETS

Options = Mapping[str, Any]


def by_name(methods: Sequence[tuple[str, list[float]]]) -> dict[str, list[float]]:
    """The s of each stage, by method; names must differ."""
    names = [name for name, _ in methods]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"--method {name!r} is given twice")
    return dict(methods)


def given_source(options: Options) -> dict[str, Any]:
    """The source of the points: a CSV file, OpenML, a file of `hrta data`, or a named problem.

    Raises:
        ValueError: options that cannot be combined, or an unknown name.
    """
    problem, csv, openml = options["problem"], options.get("csv"), options.get("openml")
    if (csv is None) != (options.get("target") is None):
        raise ValueError("--csv and --target must be given together")
    if csv is not None and openml is not None:
        raise ValueError("--csv and --openml cannot be combined")
    if csv is not None:
        return {"source": "csv", "file": str(csv), "target": options["target"]}
    if openml is not None:
        return {"source": "openml", "name": openml}
    if problem.endswith(".parquet"):
        return {"source": "stored", "file": problem}
    sampled = {name: options[name] for name in ("points", "test_points", "seed") if name in options}
    if problem in TARGETS:
        return {"source": "sampled", "name": problem, **sampled}
    if problem not in INCLUDED:
        raise ValueError(
            f"unknown problem {problem!r}; must be a .parquet file made by `hrta data` or one of "
            f"{NAMES}"
        )
    if options.get("points") is not None:
        raise ValueError(f"--points: {problem} has a fixed number of points; leave it out")
    return {"source": "data_set", "name": problem, "seed": options.get("seed", 0)}


def on_problem(options: Options) -> dict[str, Any]:
    """The fields of a job on one problem."""
    source = given_source(options)
    return {"problem": source, "experiment": options.get("experiment") or _name(source)}


def _name(source: dict[str, Any]) -> str:
    """The name of a problem in the results: its own name, or that of its file."""
    return source.get("name") or Path(source["file"]).stem


def of_data(options: Options) -> dict[str, Any]:
    """The source of the named problem."""
    return {"problem": given_source({**options, "problem": options["name"]})}


def of_sweep(options: Options) -> dict[str, Any]:
    """The sources of the problems, and an ensemble for each combination."""
    sources = [given_source({"problem": problem}) for problem in options["problems"]]
    problems = {_name(source): source for source in sources}
    names = ("experiment", "width", "learning_rate", "method")
    axes = (problems, options["widths"], options["learning_rates"], options["methods"])
    ensembles = [dict(zip(names, each, strict=True)) for each in product(*axes)]
    return {"problems": problems, "ensembles": ensembles}


def of_samples(options: Options) -> dict[str, Any]:
    """The sources of the problem with each number of points."""
    problems = [given_source({**options, "points": n}) for n in options["points"]]
    return {"problems": problems, "experiment": options["experiment"] or options["problem"]}


def of_slopes(options: Options) -> dict[str, Any]:
    """A variant for each combination of --adaptive and --recovery."""
    variants = {
        f"{adaptive}_{recovery:g}" if recovery else adaptive: {
            "adaptive": adaptive,
            "recovery": recovery,
        }
        for adaptive, recovery in product(options["adaptive"], options["recovery"])
    }
    return {**on_problem(options), "variants": variants}


def of_poisson(options: Options) -> dict[str, Any]:
    """The name in the results."""
    return {"experiment": options["experiment"] or options["solution"]}


def of_race(options: Options) -> dict[str, Any]:
    """The methods from YAML, JSON or a file; the problems with the same widths and evaluations."""
    from hrta.study.config.yaml_files import read_yaml

    methods = options["entries"]
    text = (
        methods if methods.lstrip().startswith("{") else Path(methods).read_text(encoding="utf-8")
    )
    entries = read_yaml(text, "race")
    each = {"widths": options["widths"], "evaluations": options["evaluations"]}
    problems = [
        {"problem": given_source({"problem": problem}), **each} for problem in options["problems"]
    ]
    return {"entries": entries, "problems": problems}
