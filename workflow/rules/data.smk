import inspect

from hrta.targets import TARGETS, make_problem


def definition(wildcards):
    """The code that makes the problem: a new function in its module reruns nothing else."""
    chosen = TARGETS[settings.experiments[wildcards.experiment].problem]
    return inspect.getsource(chosen.function) + inspect.getsource(make_problem)


rule data:
    message:
        "Sampling the problem of {wildcards.experiment}."
    input:
        sources("hrta.results"),
    output:
        problem="data/{experiment}.parquet",
        checksum="data/{experiment}.parquet.sha256",
    log:
        "logs/data/{experiment}.log",
    params:
        definition=definition,
        name=lambda wildcards: settings.experiments[wildcards.experiment].problem,
        points=lambda wildcards: settings.experiments[wildcards.experiment].points.value,
        test_points=lambda wildcards: settings.experiments[wildcards.experiment].test_points.value,
    shell:
        "exec python -m hrta data {params.name} --points {params.points}"
        " --test-points {params.test_points} --output {output.problem} > {log} 2>&1"
