# Verdicts on the claims, from the evidence and config/claims.yaml.

from hrta.study.config.claims import read_claims

CLAIMS = ROOT / "config/claims.yaml"
try:
    JUDGED_ON = read_claims(Path(workflow.basedir, "config/claims.yaml")).tables
except (ConfigError, OSError) as error:
    sys.exit(str(error))


rule claims:
    input:
        sources("hrta.study.claims.judgement", "hrta.study.claims.pages"),
        claims=CLAIMS,
        tables=[f"results/evidence/{table}.parquet" for table in JUDGED_ON],
    output:
        table="tables/claims.csv",
        page="tables/claims.md",
    log:
        "logs/claims.log",
    group:
        "summary"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more_each_try(1000),
        runtime=more_each_try(10),
    message:
        "Judging the claims."
    shell:
        "exec python -m hrta claims results/evidence --claims {input.claims:q}"
        " --output tables/claims --parent $PPID > {log} 2>&1"
