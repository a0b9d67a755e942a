# What the rule of the races asks of the configuration.

import json
import shlex

# By the folder of their results.
RACES = {
    "race": settings.competitors.race,
    "schedules": settings.extensions.schedules.race,
    "activations": settings.extensions.activations.race,
    "depth": settings.extensions.depth.race,
}


def race_results(race, methods=None):
    """The files with the runs of these methods of a race, or of all."""
    jobs = RACES[race].jobs
    wanted = set(RACES[race].methods if methods is None else methods)
    return [f"results/{race}/{job}.parquet" for job in jobs if wanted & set(jobs[job])]


def tuning_results(race):
    """The files with the losses in tuning."""
    return [f"results/{race}/{job}_tuning.parquet" for job in RACES[race].jobs]


def raced_methods(wildcards):
    """The methods of a job, by name."""
    race = RACES[wildcards.race]
    # Snakemake tries jobs with races that they do not belong to.
    return {name: race.methods[name] for name in race.jobs.get(wildcards.job, [])}


def race_problems(wildcards):
    """The points of all problems of a race."""
    return [f"data/{name}.parquet" for name in RACES[wildcards.race].problems]


def race_sources(wildcards):
    """The package's files that the results of a job depend on."""
    trainers = {each.method.trainer for each in raced_methods(wildcards).values()}
    engine = ["hrta.training.engines.numba_engine"] if "gradient" in trainers else []
    modules = [f"hrta.study.experiments.trainers.{trainer}" for trainer in sorted(trainers)]
    return sources("hrta.study.experiments.race", "hrta.runtime.files", *modules, *engine)


def race_checkpoint(wildcards):
    """The file with what is finished of a job, see `checkpoint_of`."""
    job = f"{wildcards.race}_{wildcards.job}"
    sampled = [name for name in RACES[wildcards.race].problems if name in settings.experiments]
    settled = " ".join([*map(points_of, sampled), race_options(wildcards)])
    return checkpoint_of(job, settled, race_sources(wildcards))


def race_cost(wildcards):
    """Those that no compiled engine trains first: they take longest."""
    costs = {"lbfgs": 4, "perceptron": 3, "laaf": 2, "anmin": 1, "gradient": 0}
    methods = raced_methods(wildcards).values()
    return 10**6 * max((costs[each.method.trainer] for each in methods), default=0)


def race_options(wildcards):
    """What the command line is to be given, beyond the wildcards, as one string."""
    race = RACES[wildcards.race]
    entries = []
    for name, each in raced_methods(wildcards).items():
        grid = race.grids[each.grid].value.model_dump(exclude_none=True)
        method = each.method.model_dump(exclude_defaults=True)
        entry = json.dumps({"method": method, "grid": grid})
        entries.append(f"--entry {shlex.quote(f'{name}={entry}')}")
    courses = [
        f"--on data/{name}.parquet:{','.join(map(str, problem.widths.value))}"
        f":{problem.evaluations.value}"
        for name, problem in race.problems.items()
    ]
    return " ".join(
        [
            *entries,
            *courses,
            *options_of(race, "seeds", "tuning_seeds"),
            *options_of(settings.training, "decay", "final_fraction"),
        ]
    )
