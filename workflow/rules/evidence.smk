# The evidence, which verdicts and verification are made from, and the verdicts on the claims.

for kind, files in STUDY.evidence.items():

    rule:
        name:
            f"evidence_{kind}"
        input:
            sources("hrta.study.claims.evidence"),
            results=files,
        output:
            table=f"results/evidence/{kind}.parquet",
        log:
            f"logs/evidence/{kind}.log",
        benchmark:
            f"results/benchmarks/evidence/{kind}.tsv"
        group:
            "summary"
        threads: 1
        resources:
            mem_mb=more_each_try(1500),
            runtime=more_each_try(10),
        params:
            options=f"{kind} --fraction {STUDY.settings.training.final_fraction.value}",
        message:
            f"Collecting the evidence: {kind}."
        shell:
            "exec python -m hrta evidence {params.options} {input.results:q}"
            " --output {output.table} --mark-broken --parent $PPID > {log} 2>&1"


rule evidence_configuration:
    output:
        "results/evidence/configuration.json",
    log:
        "logs/evidence/configuration.log",
    benchmark:
        "results/benchmarks/evidence/configuration.tsv"
    localrule: True
    params:
        numbers=json.dumps(numbers_of(STUDY.settings), indent=1),
    message:
        "Writing the values that the results depend on."
    shell:
        "printf '%s\n' {params.numbers:q} > {output} 2> {log}"


rule evidence:
    input:
        expand("results/evidence/{kind}.parquet", kind=STUDY.evidence),
        "results/evidence/configuration.json",


rule claims:
    input:
        sources("hrta.study.claims.judgement", "hrta.study.claims.pages"),
        claims=workflow_file("config/claims.yaml"),
        tables=expand("results/evidence/{kind}.parquet", kind=STUDY.judged),
    output:
        table="tables/claims.csv",
        page="tables/claims.md",
    log:
        "logs/claims.log",
    benchmark:
        "results/benchmarks/claims.tsv"
    group:
        "summary"
    threads: 1
    resources:
        mem_mb=more_each_try(1000),
        runtime=more_each_try(10),
    message:
        "Judging the claims."
    shell:
        "exec python -m hrta claims results/evidence --claims {input.claims:q}"
        " --output tables/claims --mark-broken --parent $PPID > {log} 2>&1"
