import json
import sys

from snakemake.utils import min_version

min_version("9.0")

# The package of this folder has priority over an installed one, no other module of it has.
sys.path.insert(0, workflow.basedir)
import hrta

sys.path.remove(workflow.basedir)

from hrta.study.config.flat import numbers_of
from hrta.study.config.mistakes import ConfigError
from hrta.study.pipeline.machine import check_places, claim_folder, more_each_try
from hrta.study.pipeline.machine import report_labels, shell_prefix, verbatim
from hrta.study.pipeline.plan import GPU_MEMORY
from hrta.study.pipeline.recorded import Recorded, code_files
from hrta.study.pipeline.sources import notebook_sources, sources, workflow_file
from hrta.study.pipeline.study import REPORT, in_order, read_study


configfile: f"{workflow.basedir}/config/replication.yaml"


if workflow.deployment_settings.deployment_method:
    sys.exit(
        "workflow: --software-deployment-method is not supported; all rules use one environment, "
        "made with `make env` or from environment.yml"
    )
if workflow.is_main_process:
    presence = claim_folder()  # held until this process ends

# Whether jobs run on other machines: with an executor that submits jobs, and in submitted jobs.
submitted = workflow.resource_settings.nodes is not None or workflow.remote_exec
config = in_order(config)
try:
    STUDY = read_study(config, submitted, workflow.configfiles)
except (ConfigError, OSError) as error:
    sys.exit(str(error))
PLAN, ITEMS = STUDY.plan, STUDY.items
if workflow.is_main_process:
    check_places([*STUDY.results, *(job.table for job in PLAN.values())])
RECORDED = Recorded(workflow, STUDY.results)

workflow.global_resources.setdefault("gpu", 1)
shell.prefix(shell_prefix(STUDY.gpu))


include: "workflow/rules/data.smk"
include: "workflow/rules/results.smk"
include: "workflow/rules/theory.smk"
include: "workflow/rules/notebooks.smk"
include: "workflow/rules/evidence.smk"
include: "workflow/rules/record.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        STUDY.results,
        "results/manifest/manifest.json",
        "results/manifest/ro-crate-metadata.json",
        REPORT,


for target, files in STUDY.targets.items():

    rule:
        name:
            target
        input:
            files,
