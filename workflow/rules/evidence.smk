# The compact tables that verdicts and verification are made from: a rule for each kind.

for kind, files in EVIDENCE.items():

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
        group:
            "summary"
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=more_each_try(1500),
            runtime=more_each_try(10),
        params:
            options=f"{kind} --fraction {settings.training.final_fraction.value}",
        message:
            f"Collecting the evidence: {kind}."
        shell:
            "exec python -m hrta evidence {params.options} {input.results:q}"
            " --output {output.table} --parent $PPID > {log} 2>&1"


rule evidence_configuration:
    output:
        "results/evidence/configuration.json",
    log:
        "logs/evidence/configuration.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        numbers=json.dumps(numbers_of(settings), indent=1),
    message:
        "Noting the numbers that the results depend on."
    shell:
        "printf '%s\n' {params.numbers:q} > {output} 2> {log}"


rule evidence:
    input:
        EVIDENCE_FILES,
