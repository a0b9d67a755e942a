def spectra_options(wildcards):
    """What the command line is to be given, beyond the wildcards, as one string."""
    widths = settings.experiments[wildcards.experiment].widths.value
    return " ".join(
        [
            "--s " + ",".join(f"{s:.15g}" for s in settings.spectra.s.value),
            f"--seeds {settings.spectra.seeds.value}",
            *(f"--width {width}" for width in widths),
        ]
    )


rule spectra:
    message:
        "Computing the tangent kernels' eigenvalues of {wildcards.experiment}."
    input:
        sources("hrta.ntk", "hrta.results"),
        problem="data/{experiment}.parquet",
    output:
        spectra="results/spectra/{experiment}.parquet",
        provenance="results/spectra/{experiment}.json",
    log:
        "logs/spectra/{experiment}.log",
    benchmark:
        "results/benchmarks/spectra/{experiment}.tsv"
    params:
        options=spectra_options,
    threads: 1
    resources:
        mem_mb=1500,
    shell:
        "exec python -m hrta ntk --problem {input.problem} --experiment {wildcards.experiment}"
        " {params.options} --output {output.spectra} --parent $PPID > {log} 2>&1"
