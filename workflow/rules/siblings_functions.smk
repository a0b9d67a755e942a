# What the rules of the neighbouring papers' methods ask of the configuration.

siblings = settings.competitors
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
            *(f"--checkpoint {step}" for step in slopes.solution_steps.value),
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
