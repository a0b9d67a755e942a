"""The commands that make a spec of their options: each is a spec, its defaults and a text."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import typer

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
from hrta.study.config.base_spec import Spec
from hrta.study.config.deep_specs import AdaptiveSpec, PoissonSpec, SlopesSpec
from hrta.study.config.mistakes import checked
from hrta.study.config.race_spec import RaceSpec
from hrta.study.config.theory_specs import (
    AccelerationSpec,
    JumpsSpec,
    MotionSpec,
    RatesSpec,
    SampleNumberSpec,
    SpectraSpec,
    WidthLimitSpec,
)
from hrta.study.config.training_specs import (
    AlternationSpec,
    DataSpec,
    LbfgsSpec,
    SweepSpec,
    TrainingSpec,
)

app = typer.Typer(rich_markup_mode=None)
theory = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="Measure the tangent-kernel theory."
)
app.add_typer(theory, name="theory")

# The options about the problem.
SOURCE = ("problem", "points", "test_points", "csv", "target", "openml")


def command(
    group: typer.Typer,
    name: str,
    spec_type: type[Spec],
    text: str,
    fields: Callable[[Options], dict[str, Any]] = on_problem,
    also: Sequence[str] = SOURCE,
    **defaults: Any,
) -> None:
    """Add a command that runs a job; it has an option for every field of the spec of that name.

    Args:
        group: where to add it.
        name: of the command.
        spec_type: of the job.
        text: what its help says.
        fields: makes the other fields of the spec of all options.
        also: the options that they are made of.
        defaults: of the options that have others here than elsewhere.
    """
    known = [field for field in spec_type.model_fields if field in OPTIONS]
    own = [field for field in known if field not in ("problem", "problems")]
    names = [*also, *own, "output", "parent", *(["checkpoint"] if spec_type.resumable else [])]

    def run(**options: Any) -> None:
        if "methods" in options:
            options["methods"] = by_name(options["methods"])
        given = options | fields(options)
        kept = {key: value for key, value in given.items() if key in spec_type.model_fields}
        spec = checked(spec_type, kept, name)
        run_job(spec, options["output"], options.get("checkpoint"))

    parameters = []
    for option in dict.fromkeys(names):
        annotation, default = OPTIONS.get(f"{name}.{option}", OPTIONS[option])
        default = defaults.get(option, default)
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters.append(inspect.Parameter(option, kind, default=default, annotation=annotation))
    run.__doc__, run.__signature__ = text, inspect.Signature(parameters)
    group.command(name)(run)


command(
    app,
    "data",
    DataSpec,
    "Write a problem, with its SHA-256 beside it.",
    of_data,
    ("name", "points", "test_points", "seed"),
    output=REQUIRED,
)
command(
    app,
    "train",
    TrainingSpec,
    "Train an ensemble: every method, learning rate and seed, from the same weights per seed.",
)
command(
    app,
    "sweep",
    SweepSpec,
    "Train an ensemble for each problem, width, learning rate and method, one after another.",
    of_sweep,
    ("problems", "widths", "learning_rates"),
    widths=[200],
)
command(
    app,
    "ntk",
    SpectraSpec,
    "Eigenvalues of the tangent Gram matrix: at infinite width and, if given, at finite widths.",
    s="0.5,1,1.5,2",
    widths=[],
)
command(
    theory,
    "width",
    WidthLimitSpec,
    "Gram matrices of networks as they are initialised against those of infinite width.",
    widths=[100, 1000, 10_000],
    seeds=10,
)
command(
    theory,
    "samples",
    SampleNumberSpec,
    "Extremal eigenvalues at infinite width against the number of points.",
    of_samples,
    ("problem", "points"),
)
command(
    theory,
    "motion",
    MotionSpec,
    "How far the tangent kernel and the weights move during training.",
    seeds=5,
    stage_steps=1000,
    optimizer="gradient_descent",
)
command(
    theory,
    "jumps",
    JumpsSpec,
    "The expected loss just after each switch of s, at infinite width.",
)
command(
    theory,
    "rates",
    RatesSpec,
    "Gradient descent in float64 against the bound and the linearised prediction.",
    seeds=5,
    stage_steps=1000,
)
command(
    app,
    "anmin",
    AlternationSpec,
    "Train by exact alternating minimisation; losses are mean squares.",
)
command(app, "lbfgs", LbfgsSpec, "Train by L-BFGS with a strong-Wolfe line search.")
command(
    app,
    "laaf",
    AdaptiveSpec,
    "Train deep networks with locally adaptive activations; losses are mean squares.",
    problem="jump1d",
    learning_rate=2e-4,
    seeds=5,
    log_every=100,
)
command(
    app,
    "slopes",
    SlopesSpec,
    "Deep networks with adaptive slopes against fixed ones, from the same weights: a variant for "
    "each --adaptive with each --recovery.",
    of_slopes,
    (*SOURCE, "adaptive", "recovery"),
    problem="jump1d",
    steps=15_000,
    learning_rate=2e-4,
    seeds=5,
    log_every=100,
)
command(
    app,
    "acceleration",
    AccelerationSpec,
    "Nesterov against heavy ball: inner weights alone, momentum from the Gram matrix.",
    problem="sine3d",
    seeds=5,
)
command(
    app,
    "race",
    RaceSpec,
    "Tune each method on its grid, then run it from fresh seeds.",
    of_race,
    ("problems", "widths", "evaluations"),
    widths=[50],
    decay=0.1,
)
command(
    app,
    "poisson",
    PoissonSpec,
    "Two-layer ReLU^2 networks that minimise the energy of a Poisson problem.",
    of_poisson,
    (),
    width=1000,
    methods=["relu2=1,1", "homotopy=0.5,1", "relaxation=1,1.5", "relaxed=1.5,1.5"],
    log_every=50,
)
