rule spectra:
    input:
        sources("hrta.study.experiments.spectra", "hrta.runtime.files"),
        problem="data/{experiment}.parquet",
    output:
        spectra="results/spectra/{experiment}.parquet",
        provenance="results/spectra/{experiment}.json",
    log:
        "logs/spectra/{experiment}.log",
    benchmark:
        "results/benchmarks/spectra/{experiment}.tsv"
    group:
        "theory"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more_each_try(2000),
        runtime=more_each_try(15),
    params:
        options=spectra_options,
    message:
        "Computing the tangent kernels' eigenvalues of {wildcards.experiment}."
    shell:
        "exec python -m hrta ntk --problem {input.problem} --experiment {wildcards.experiment}"
        " {params.options} --output {output.spectra} --parent $PPID > {log} 2>&1"
