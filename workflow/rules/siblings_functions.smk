# What the rules of the neighbouring papers' methods ask of the configuration.

import json
import shlex

siblings = settings.siblings
RACE_RESULTS = [f"results/race/{name}.parquet" for name in siblings.race.methods]
TUNING_RESULTS = [f"results/race/{name}_tuning.parquet" for name in siblings.race.methods]
ACCELERATION = [f"results/acceleration/{name}.parquet" for name in siblings.acceleration.problems]
ALTERNATION = [f"results/anmin/{name}.parquet" for name in siblings.alternation.problems]
SLOPES = [f"results/slopes/{name}.parquet" for name in siblings.adaptive_slopes.variants]
SOLUTIONS = [
    f"results/slopes/{name}_solutions.parquet" for name in siblings.adaptive_slopes.variants
]


def slopes_options(wildcards):
    """What the command line is to be given, beyond the wildcards, as one string."""
    slopes = siblings.adaptive_slopes
    variant = slopes.variants[wildcards.variant]
    return " ".join(
        [
            f"--experiment {slopes.experiment}",
            f"--variant {wildcards.variant}={variant.adaptive},{variant.recovery:.15g}",
            "--hidden " + ",".join(str(width) for width in slopes.hidden.value),
            f"--activation {slopes.activation}",
            *(f"--checkpoint {step}" for step in slopes.checkpoints.value),
            *options_of(slopes, "scale", "steps", "learning_rate", "seeds", "log_every"),
        ]
    )


def acceleration_fingerprint(wildcards):
    """Of a synthetic problem's points; real data come with the package that has them."""
    name = wildcards.accelerated
    if name not in settings.experiments:
        return name
    return fingerprint_of(settings.experiments[name].problem, accelerated_points(name))


def accelerated_points(name):
    points = siblings.acceleration.problems[name].points
    return points.value if points else settings.experiments[name].points.value


def acceleration_options(wildcards):
    """What the command line is to be given, beyond the wildcards, as one string."""
    name, part = wildcards.accelerated, siblings.acceleration
    problem = [f"--problem {name}"]
    if name in settings.experiments:
        problem = [
            f"--problem {settings.experiments[name].problem}",
            f"--points {accelerated_points(name)}",
        ]
    return " ".join(
        [
            *problem,
            f"--experiment {name}",
            *width_options(part),
            *options_of(part, "seeds", "steps", "step_fraction", "log_every"),
        ]
    )


def race_sources(wildcards):
    """The package's files that a contestant's results depend on."""
    trainer = siblings.race.methods[wildcards.contestant].method.trainer
    engine = ["hrta.kernels.cpu"] if trainer == "gradient" else []
    return sources("hrta.race", "hrta.results", f"hrta.trainers.{trainer}", *engine)


def race_cost(wildcards):
    """Those that no compiled engine trains first: they take longest."""
    costs = {"lbfgs": 3, "laaf": 2, "anmin": 1, "gradient": 0}
    return 10**6 * costs[siblings.race.methods[wildcards.contestant].method.trainer]


def race_options(wildcards):
    """What the command line is to be given, beyond the wildcards, as one string."""
    race = siblings.race
    contestant = race.methods[wildcards.contestant]
    entry = {
        "method": contestant.method.model_dump(),
        "grid": race.grids[contestant.grid].value.model_dump(exclude_none=True),
    }
    courses = [
        f"--on data/{name}.parquet:{','.join(map(str, problem.widths.value))}"
        f":{problem.evaluations.value}"
        for name, problem in race.problems.items()
    ]
    return " ".join(
        [
            f"--entry {shlex.quote(json.dumps(entry))}",
            *courses,
            *options_of(race, "seeds", "tuning_seeds"),
            *options_of(settings.training, "decay", "final_fraction"),
        ]
    )
