# Races: a job tunes and runs some methods on all problems of their race.


wildcard_constraints:
    race="|".join(RACES),
    job="|".join(dict.fromkeys(job for race in RACES.values() for job in race.jobs)),


rule race:
    input:
        race_sources,
        race_problems,
    output:
        runs="results/{race}/{job}.parquet",
        provenance="results/{race}/{job}.json",
        tuning="results/{race}/{job}_tuning.parquet",
    log:
        "logs/{race}/{job}.log",
    benchmark:
        "results/benchmarks/{race}/{job}.tsv"
    priority: race_cost
    group:
        "race"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more_each_try(2500),
        runtime=more_each_try(30),
    params:
        options=race_options,
        checkpoint=race_checkpoint,
    message:
        "Tuning and racing {wildcards.job} in {wildcards.race}."
    shell:
        "exec python -m hrta race {params.options}"
        " --output {output.runs} --tuning {output.tuning} --checkpoint {params.checkpoint}"
        " --parent $PPID > {log} 2>&1"
