from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/config/replication.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/machine.smk"
include: "workflow/rules/functions.smk"
include: "workflow/rules/theory_cases.smk"
include: "workflow/rules/races_functions.smk"
include: "workflow/rules/poisson_functions.smk"
include: "workflow/rules/siblings_functions.smk"
include: "workflow/rules/items.smk"
include: "workflow/rules/theory_items.smk"
include: "workflow/rules/poisson_items.smk"
include: "workflow/rules/siblings_items.smk"
include: "workflow/rules/beyond_items.smk"
include: "workflow/rules/evidence_functions.smk"
include: "workflow/rules/sweep_items.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/spectra.smk"
include: "workflow/rules/theory.smk"
include: "workflow/rules/poisson.smk"
include: "workflow/rules/siblings.smk"
include: "workflow/rules/races.smk"
include: "workflow/rules/evidence.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/sweep.smk"
include: "workflow/rules/report_functions.smk"
include: "workflow/rules/notebooks.smk"
include: "workflow/rules/manifest_functions.smk"
include: "workflow/rules/manifest.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        [item.files for item in ITEMS.values()],
        rules.evidence.input,
        rules.claims.output,
        rules.manifest.output,
        rules.crate_description.output,
        rules.report.output,
