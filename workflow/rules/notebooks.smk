# A rule for each item: execute its notebook.

for target, item in ITEMS.items():

    rule:
        name:
            target
        input:
            notebook_sources(item.notebook),
            sources("hrta.study.pipeline.notebook"),
            item.results,
            notebook=workflow_file(f"notebooks/{item.notebook}.ipynb"),
        output:
            # These are also in Snakemake's own report.
            [
                report(
                    each.files[-1],
                    caption=f"../report/captions/{each.caption}",
                    category=item.section,
                    labels=report_labels(item.title, each.stem),
                )
                for each in item.shown
            ],
            [each.files[0] for each in item.shown],
            executed=item.executed[0],
            page=item.executed[1],
        log:
            f"logs/notebooks/{target}.log",
        benchmark:
            f"results/benchmarks/notebooks/{target}.tsv"
        group:
            "notebooks"
        threads: 1
        resources:
            mem_mb=more_each_try(2000),
            runtime=more_each_try(10),
        params:
            parameters=verbatim(json.dumps({**item.parameters, **item.reads, **item.writes})),
            # Not a log: Snakemake prints the logs of failed jobs.
            draft=f"logs/notebooks/{target}.ipynb",
        message:
            f"Executing {item.notebook}.ipynb for {target}."
        shell:
            "exec python -m hrta.study.pipeline notebook {input.notebook:q}"
            " <(printf %s {params.parameters:q}) --draft {params.draft}"
            " --executed {output.executed} --page {output.page} --parent $PPID > {log} 2>&1"
