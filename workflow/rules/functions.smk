# What the rules of data, training and spectra ask of the configuration.

import hashlib

from hrta.problems.targets import make_problem
from hrta.training.engines.choice import ENGINES


def fingerprint(wildcards):
    """Of the sampled points: what changes them reruns the problem, and nothing else does."""
    return points_of(wildcards.experiment)


def points_of(name):
    """What tells the points of an experiment from others."""
    experiment = settings.experiments[name]
    return fingerprint_of(experiment.problem, experiment.points.value, experiment.test_points.value)


def fingerprint_of(problem, points, test_points=1):
    made = make_problem(problem, points, test_points)
    digest = hashlib.sha256()
    for part in (made.x, made.y, made.x_test, made.y_test):
        digest.update(part.tobytes())
    return digest.hexdigest()


def runs_of(experiments):
    """The results of all ensembles of these experiments."""
    return [
        f"results/runs/{name}/{optimizer}/width{width}.parquet"
        for name in experiments
        for optimizer in settings.experiments[name].optimizers
        for width in settings.experiments[name].widths.value
    ]


def method_options(names, methods=settings.methods):
    """The option --method for each of these methods."""
    return [f"--method {name}=" + ",".join(f"{s:.15g}" for s in methods[name].s) for name in names]


def training_options(wildcards):
    """What the command line is to be given, beyond the wildcards, as one string."""
    experiment = settings.experiments[wildcards.experiment]
    optimizer = settings.optimizers[wildcards.optimizer]
    options = {
        "decay": settings.training.decay.value,
        "stage-steps": settings.training.stage_steps.value,
        "log-every": settings.training.log_every.value,
        "seeds": settings.seeds.value,
        "dtype": settings.dtype,
        "device": settings.device,
        "engine": settings.engine,
    }
    if optimizer.momentum is not None:
        options["momentum"] = optimizer.momentum.value
    methods = method_options(experiment.methods)
    rates = [f"--learning-rate {rate:.15g}" for rate in optimizer.learning_rates.value]
    return " ".join([*methods, *rates, *(f"--{key} {value}" for key, value in options.items())])


def checkpoint_of(job, options, files):
    """Where a job keeps its state: of one setting and one state of the code, so that no job ever
    finds what another would have to refuse."""
    digest = hashlib.sha256(options.encode())
    for file in files:
        digest.update(Path(file).read_bytes())
    return f"results/checkpoints/{job}_{digest.hexdigest()[:12]}.npz"


def training_sources():
    """The package's files that the results of training depend on."""
    return sources("hrta.study.experiments.ensembles", "hrta.runtime.files", ENGINES[ENGINE][0])


def training_checkpoint(wildcards):
    """The file with the state of training, see `checkpoint_of`."""
    job = f"train_{wildcards.experiment}_{wildcards.optimizer}_width{wildcards.width}"
    settled = f"{fingerprint(wildcards)} {training_options(wildcards)}"
    return checkpoint_of(job, settled, training_sources())


def training_cost(wildcards):
    """Large ensembles first, so that none of them is left over at the end."""
    return int(wildcards.width) * settings.experiments[wildcards.experiment].points.value


def spectra_options(wildcards):
    """What the command line is to be given, beyond the wildcards, as one string."""
    widths = settings.experiments[wildcards.experiment].widths.value
    return " ".join(
        [
            "--s " + ",".join(f"{s:.15g}" for s in settings.spectra.s.value),
            f"--seeds {settings.spectra.seeds.value}",
            *(f"--width {width}" for width in widths),
        ]
    )
