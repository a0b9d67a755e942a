# The tables of the tangent-kernel theory: what each is computed with.

from dataclasses import dataclass

theory = settings.theory


@dataclass
class Case:
    """A table: the modules that compute it, the command's options, what its points depend on."""

    modules: list
    options: str
    fingerprint: list
    memory: int = 2000


def case(modules, command, name, points, options, memory=2000):
    """A table about an experiment, with its own number of points or these."""
    experiment = settings.experiments[name]
    points = points or [experiment.points.value]
    every = [
        f"{command} --experiment {name} --problem {experiment.problem}",
        *(f"--points {n}" for n in points),
        *options,
    ]
    fingerprints = [fingerprint_of(experiment.problem, n) for n in points]
    return Case(modules, " ".join(every), fingerprints, memory)


def options_of(part, *names):
    """The options of these names, as the configuration of a part has them."""
    return [f"--{name.replace('_', '-')} {getattr(part, name).value}" for name in names]


def width_options(part):
    return [f"--width {width}" for width in part.widths.value]


parameters = ["--s " + ",".join(f"{s:.15g}" for s in theory.s.value)]
# By the table's place in results/theory.
THEORY = {
    f"width/{name}": case(
        ["hrta.study.experiments.width_limit"],
        "width",
        name,
        None,
        [*parameters, *width_options(theory.width_limit), *options_of(theory.width_limit, "seeds")],
    )
    for name in theory.width_limit.experiments
}
for name, many in theory.sample_number.experiments.items():
    THEORY[f"samples/{name}"] = case(
        ["hrta.study.experiments.sample_number"],
        "samples",
        name,
        many.points.value,
        parameters,
        memory=500 + 17 * max(many.points.value) ** 2 // 10**6,
    )
for optimizer in theory.motion.optimizers:
    THEORY[f"motion/{optimizer}"] = case(
        ["hrta.study.experiments.kernel_motion", "hrta.training.engines.numba_engine"],
        "motion",
        theory.motion.experiment,
        None,
        [
            f"--optimizer {optimizer}",
            f"--learning-rate {settings.optimizers[optimizer].learning_rates.value[0]:.15g}",
            *method_options(theory.motion.methods),
            *width_options(theory.motion),
            *options_of(theory.motion, "seeds", "stage_steps"),
        ],
    )
for name, few in theory.rates.experiments.items():
    THEORY[f"rates/{name}"] = case(
        ["hrta.study.experiments.rates", "hrta.training.engines.numba_engine"],
        "rates",
        name,
        [few.points.value],
        [
            *method_options(theory.rates.methods),
            *width_options(theory.rates),
            *options_of(theory.rates, "seeds", "stage_steps", "learning_rate", "log_every"),
        ],
    )
for name, experiment in settings.experiments.items():
    THEORY[f"jumps/{name}"] = case(
        ["hrta.ntk.linearised"], "jumps", name, None, method_options(experiment.methods)
    )


def rule_of(table):
    """The name of the rule that makes a table."""
    return "_".join(["theory", *Path(table).parts])


def theory_tables(part):
    """The files of all tables of a part."""
    return [f"results/theory/{table}.parquet" for table in THEORY if table.startswith(f"{part}/")]
