# The measurements of the tangent-kernel theory: a rule for each job.

for job in PLAN.within("theory"):

    rule:
        name:
            job.plain_name
        input:
            job.inputs,
        output:
            table=job.table,
            record=f"results/{job.name}.json",
        log:
            f"logs/{job.name}.log",
        benchmark:
            f"results/benchmarks/{job.name}.tsv"
        priority: job.priority
        group:
            "theory"
        threads: 1
        resources:
            gpu=job.gpu,
            mem_mb=more_each_try(job.memory),
            runtime=more_each_try(30),
        params:
            spec=job.spec.json_text,
        message:
            f"Measuring {job.name}."
        shell:
            "exec python -m hrta run {params.spec:q} --output {output.table} --mark-broken --parent $PPID"
            " > {log} 2>&1"
