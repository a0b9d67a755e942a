# The tangent-kernel theory, measured: a rule for each table in theory_cases.smk.

for table, case in THEORY.items():

    rule:
        name:
            rule_of(table)
        input:
            sources(*case.modules, "hrta.runtime.files"),
        output:
            table=f"results/theory/{table}.parquet",
            provenance=f"results/theory/{table}.json",
        log:
            f"logs/theory/{table}.log",
        benchmark:
            f"results/benchmarks/theory/{table}.tsv"
        priority: 10**6
        group:
            "theory"
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=more_each_try(case.memory),
            runtime=more_each_try(30),
        params:
            fingerprint=case.fingerprint,
            options=case.options,
        message:
            f"Measuring {table}."
        shell:
            "exec python -m hrta theory {params.options} --output {output.table}"
            " --parent $PPID > {log} 2>&1"
