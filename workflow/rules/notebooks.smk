for target, item in ITEMS.items():

    rule:
        name:
            target
        input:
            sources(*imported(NOTEBOOKS / f"{item.notebook}.ipynb")),
            item.results,
            script=ROOT / "workflow/scripts/execute_notebook.py",
            notebook=ROOT / f"notebooks/{item.notebook}.ipynb",
        output:
            for_the_report(target),
            executed=f"notebooks/executed/{target}.ipynb",
            page=f"notebooks/executed/{target}.html",
        log:
            text=f"logs/notebooks/{target}.log",
            notebook=f"logs/notebooks/{target}.ipynb",
        group:
            "notebooks"
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=more_each_try(2000),
            runtime=more_each_try(10),
        params:
            parameters=json.dumps(item.parameters | item.writes),
        message:
            f"Executing {item.notebook}.ipynb for {target}."
        shell:
            "exec python {input.script:q} {input.notebook:q} --parameters {params.parameters:q}"
            " --draft {log.notebook} --executed {output.executed} --page {output.page}"
            " --parent $PPID > {log.text} 2>&1"


rule paper:
    input:
        [ITEMS[f"figure_{name}"].files for name in OF_THE_PAPER],
        [
            OF_POISSON[f"figure_{name}"].files
            for name, each in poisson.problems.items()
            if each.paper
        ],
        ITEMS["table_final_losses"].files,


rule beyond:
    input:
        [item.files for item in OF_BEYOND.values()],


rule siblings:
    input:
        [item.files for item in OF_THE_SIBLINGS.values()],


rule theory:
    input:
        [ITEMS[name].files for name in OF_THE_THEORY],
