# Everything that came out, on one page: what was claimed, verdicts, figures, tables.


report: "../report/workflow.rst"


rule report:
    input:
        sources("hrta.study.pipeline.manifest", "hrta.runtime.files"),
        [item.files for item in ITEMS.values()],
        expand("notebooks/executed/{name}.{suffix}", name=ITEMS, suffix=["ipynb", "html"]),
        sorted(str(path) for path in (ROOT / "workflow/report/captions").glob("*.rst")),
        script=ROOT / "workflow/scripts/report.py",
        parts=ROOT / "workflow/scripts/report_parts.py",
        template=ROOT / "workflow/report/site.html.j2",
        style=ROOT / "workflow/report/style.css",
        claims=rules.claims.output,
        verdicts=rules.claims.output.page,
        manifest=rules.manifest.output,
    output:
        page="report/index.html",
        manifest="report/manifest.json",
        copies=[directory(f"report/{part}") for part in ("figures", "tables", "notebooks")],
    log:
        "logs/report.log",
    group:
        "record"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more_each_try(1000),
        runtime=more_each_try(10),
    params:
        contents=json.dumps(contents(), ensure_ascii=False),
        configuration=json.dumps(config, ensure_ascii=False),
        captions=ROOT / "workflow/report/captions",
    message:
        "Writing report/index.html."
    shell:
        "exec python {input.script:q} --contents {params.contents:q}"
        " --configuration {params.configuration:q} --captions {params.captions:q}"
        " --template {input.template:q} --claims {input.verdicts} --manifest {input.manifest}"
        " --page {output.page} > {log} 2>&1"
