# The report: claims, verdicts, figures and tables on one page.


report: "../report/workflow.rst"


rule report:
    input:
        sources("hrta.study.pipeline.report"),
        [item.files for item in ITEMS.values()],
        [item.executed for item in ITEMS.values()],
        captions=STUDY.captions,
        template=workflow_file("workflow/report/site.html.j2"),
        style=workflow_file("workflow/report/style.css"),
        claims=workflow_file("config/claims.yaml"),
        cells="tables/claims.csv",
        manifest="results/manifest/manifest.json",
    output:
        page="report/index.html",
        manifest="report/manifest.json",
        copies=[directory(f"report/{part}") for part in ("figures", "tables", "notebooks")],
    log:
        "logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    group:
        "record"
    threads: 1
    resources:
        mem_mb=more_each_try(1000),
        runtime=more_each_try(10),
    params:
        contents=verbatim(STUDY.contents),
        configuration=verbatim(json.dumps(config, ensure_ascii=False)),
    message:
        "Writing report/index.html."
    shell:
        "exec python -m hrta.study.pipeline report --contents <(printf %s {params.contents:q})"
        " --configuration <(printf %s {params.configuration:q})"
        " --template {input.template:q} --claims {input.claims:q} --cells {input.cells}"
        " --manifest {input.manifest} --page {output.page} > {log} 2>&1"
