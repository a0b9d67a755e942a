"""The commands that run a job with options: one for each type of spec, with its defaults."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import typer

from hrta.cli.combinations import OneValueEach, check_combinations, check_race
from hrta.cli.fields import (
    Options,
    by_name,
    of_data,
    of_poisson,
    of_race,
    of_samples,
    of_slopes,
    of_sweep,
    on_problem,
)
from hrta.cli.jobs import run_job
from hrta.cli.options import OPTIONS, REQUIRED
from hrta.study.config.jobs import SPEC_TYPES
from hrta.study.config.mistakes import checked

app = typer.Typer(rich_markup_mode=None)
theory = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="Measurements of the tangent-kernel theory."
)
app.add_typer(theory, name="theory")

# The options of the problem.
SOURCE = ("problem", "points", "test_points", "csv", "target", "openml")


def command(
    group: typer.Typer,
    name: str,
    fields: Callable[[Options], dict[str, Any]] = on_problem,
    also: Sequence[str] = SOURCE,
    job: str | None = None,
    **defaults: Any,
) -> None:
    """Add a command that runs a job, with an option for every field of the spec.

    Args:
        group: group to which the command is added.
        name: of the command.
        fields: from all options to the fields of the spec that are not options.
        also: the options that `fields` needs.
        job: kind of the job, if it differs from the name of the command.
        defaults: defaults of options that differ from those in `OPTIONS`.
    """
    spec_type = SPEC_TYPES[job or name]
    known = [field for field in spec_type.model_fields if field in OPTIONS]
    own = [field for field in known if field not in ("problem", "problems")]
    names = [*also, *own, "output", "parent", *(["checkpoint"] if spec_type.resumable else [])]

    def run(context: typer.Context, **options: Any) -> None:
        sources = {each: context.get_parameter_source(each) for each in options}
        given = [each for each, source in sources.items() if source.name == "COMMANDLINE"]
        check_combinations(given, options)
        if "methods" in options:
            options["methods"] = by_name(options["methods"])
        named = options | fields(options)
        kept = {key: value for key, value in named.items() if key in spec_type.model_fields}
        spec = checked(spec_type, kept, name)
        check_race(given, spec)
        if not run_job(spec, options["output"], options.get("checkpoint")):
            raise typer.Exit(1)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter("context", kind, annotation=typer.Context)]
    for option in dict.fromkeys(names):
        annotation, default = OPTIONS.get(f"{name}.{option}", OPTIONS[option])
        default = defaults.get(option, default)
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters.append(inspect.Parameter(option, kind, default=default, annotation=annotation))
    run.__signature__ = inspect.Signature(parameters)
    group.command(
        name, cls=OneValueEach, help=inspect.getdoc(spec_type).partition("\n\nAttributes:")[0]
    )(run)


command(app, "data", of_data, ("name", "points", "test_points", "seed"), output=REQUIRED)
command(app, "train")
command(app, "sweep", of_sweep, ("problems", "widths", "learning_rates"), widths=[200])
command(app, "ntk", job="spectra", s="0.5,1,1.5,2", widths=[])
command(theory, "width", job="theory width", widths=[100, 1000, 10_000], seeds=10)
command(theory, "samples", of_samples, ("problem", "points"), job="theory samples")
command(
    theory,
    "motion",
    job="theory motion",
    seeds=5,
    stage_steps=1000,
    optimizer="gradient_descent",
)
command(theory, "jumps", job="theory jumps")
command(theory, "rates", job="theory rates", seeds=5, stage_steps=1000)
command(app, "anmin")
command(app, "lbfgs")
command(app, "laaf", problem="jump1d", learning_rate=2e-4, seeds=5, log_every=100)
command(
    app,
    "slopes",
    of_slopes,
    (*SOURCE, "adaptive", "recovery"),
    problem="jump1d",
    steps=15_000,
    learning_rate=2e-4,
    seeds=5,
    log_every=100,
)
command(app, "acceleration", problem="sine3d", seeds=5)
command(app, "race", of_race, ("problems", "widths", "evaluations"), widths=[50], decay=0.1)
command(
    app,
    "poisson",
    of_poisson,
    (),
    width=1000,
    methods=["relu2=1,1", "homotopy=0.5,1", "relaxation=1,1.5", "relaxed=1.5,1.5"],
    log_every=50,
)
