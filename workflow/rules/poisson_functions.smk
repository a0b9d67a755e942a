# What the rule of the Poisson problem asks of the configuration.


def poisson_options(wildcards):
    """What the command line is to be given, beyond the wildcards, as one string."""
    poisson = settings.poisson
    problem = poisson.problems[wildcards.poisson]
    rates = [f"--learning-rate {rate:.15g}" for rate in poisson.learning_rates.value]
    return " ".join(
        [
            f"--problem {problem.solution}",
            *method_options(poisson.methods, poisson.methods),
            *rates,
            *options_of(problem, "points", "seeds"),
            *options_of(poisson, "width", "stage_steps", "log_every"),
            *options_of(settings.training, "decay"),
        ]
    )


def poisson_sources():
    """The package's files that the results depend on."""
    return sources("hrta.study.experiments.poisson", "hrta.runtime.files")


def poisson_checkpoint(wildcards):
    """The file with the state of training, see `checkpoint_of`."""
    job = f"poisson_{wildcards.poisson}_{wildcards.quadrature}"
    return checkpoint_of(job, poisson_options(wildcards), poisson_sources())
