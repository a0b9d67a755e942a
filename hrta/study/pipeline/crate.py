"""A run as a Workflow RO-Crate: its files, its workflow, and every job as an action.

Profiles: RO-Crate 1.1, Workflow RO-Crate 1.0, Process, Workflow and Provenance Run Crate 0.5.
Source: https://www.researchobject.org/workflow-run-crate
"""

import mimetypes
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any

from rocrate.model import ContextEntity, Dataset, File
from rocrate.model.computationalworkflow import ComputationalWorkflow
from rocrate.rocrate import ROCrate

from hrta.runtime.files import sha256
from hrta.study.pipeline.manifest import Job, Manifest

WORKFLOW_PROFILE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    WORKFLOW_PROFILE: "Workflow RO-Crate",
}
# Not among the terms of RO-Crate 1.1.
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
FORMATS = {
    ".cff": "text/yaml",
    ".ipynb": "application/x-ipynb+json",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".smk": "text/x-snakemake",
    ".yaml": "text/yaml",
    ".yml": "text/yaml",
}
BIOSCHEMAS = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
WORKFLOW = "Snakefile"
DONE = "http://schema.org/CompletedActionStatus"


def describe(
    manifest: Manifest,
    citation: Mapping[str, Any],
    files: Mapping[str, Path],
    place: Callable[[str], str],
    snakemake: str,
) -> ROCrate:
    """The crate of a run.

    Args:
        manifest: of the run.
        citation: content of CITATION.cff.
        files: the files of the crate, by their paths in it.
        place: from the path of a file in the manifest to that in the crate.
        snakemake: version of Snakemake.
    """
    crate = ROCrate(version="1.1")
    crate.metadata.extra_terms.update(TERMS)
    add_files(crate, files)
    publish(crate, citation, manifest)
    workflow = add_workflow(crate, citation, snakemake)
    folders = add_folders(crate, [place(path) for path in manifest.artifacts])
    configuration = [crate.get(place(path)) for path in manifest.configuration]
    set_properties(
        workflow,
        input=parameter(crate, "configuration", "File", configuration),
        output=[parameter(crate, f.id.rstrip("/"), "Dataset", [f]) for f in folders],
    )
    run = action(crate, "#run", "The run of the workflow", manifest.jobs)
    set_properties(run, instrument=workflow, object=configuration, result=folders)
    run["description"] = f"{len(manifest.jobs)} jobs made {len(manifest.artifacts)} files"
    add_jobs(crate, manifest.jobs, workflow, run, place)
    return crate


def entity(crate: ROCrate, identifier: str, kind: str | list[str], **properties: Any) -> Any:
    """The contextual entity with this identifier; created if it does not exist."""
    existing = crate.get(identifier)
    if existing is not None:
        return existing
    made = crate.add(ContextEntity(crate, identifier, {"@type": kind}))
    return set_properties(made, **properties)


def set_properties(subject: Any, /, **properties: Any) -> Any:
    """Set properties of an entity; entities become references, a list of one its element."""
    for name, value in properties.items():
        subject[name] = value[0] if isinstance(value, list) and len(value) == 1 else value
    return subject


def add_files(crate: ROCrate, files: Mapping[str, Path]) -> None:
    """Add every file with format, size and SHA-256; rule files and the Snakefile as source code."""
    for path, source in sorted(files.items()):
        suffix = PurePath(path).suffix
        properties = {
            "name": path,
            "encodingFormat": FORMATS.get(suffix) or mimetypes.guess_type(path)[0] or "text/plain",
            "contentSize": str(source.stat().st_size),
            "sha256": sha256(source),
        }
        if suffix == ".smk":
            properties["@type"] = ["File", "SoftwareSourceCode"]
        if path == WORKFLOW:
            properties["@type"] = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
            crate.add(ComputationalWorkflow(crate, source, path, properties=properties))
        else:
            crate.add(File(crate, source, path, properties=properties))


def publish(crate: ROCrate, citation: Mapping[str, Any], manifest: Manifest) -> None:
    """Set title, authors, licence, the cited paper and the profiles."""
    licence = entity(
        crate,
        f"https://spdx.org/licenses/{citation['license']}",
        "CreativeWork",
        name=citation["license"],
    )
    root = crate.root_dataset
    profiles = [crate.metadata.profile, WORKFLOW_PROFILE]
    set_properties(crate.metadata, conformsTo=[{"@id": profile} for profile in profiles])
    set_properties(crate.get("README.md"), about=root)
    set_properties(
        root,
        name=citation["title"],
        description="Workflow, data, results, figures and tables of a run, and how each of them"
        f" was made: {citation['title']}",
        author=[person(crate, author) for author in citation["authors"]],
        license=licence,
        version=citation["version"],
        datePublished=manifest.made.isoformat(),
        citation=[paper(crate, each) for each in citation.get("references", [])],
        conformsTo=[
            entity(crate, at, "CreativeWork", name=name, version=at.rsplit("/", 1)[1])
            for at, name in PROFILES.items()
        ],
    )


def person(crate: ROCrate, author: Mapping[str, str]) -> Any:
    """An author of the citation: a person, or an organisation."""
    if "name" in author:
        return entity(crate, f"#{author['name']}", "Organization", name=author["name"])
    name = " ".join(author[key] for key in ("given-names", "family-names") if key in author)
    return entity(crate, author.get("orcid", f"#{name}"), "Person", name=name)


def paper(crate: ROCrate, reference: Mapping[str, Any]) -> Any:
    """A cited paper."""
    numbers = [each["value"] for each in reference.get("identifiers", [])]
    arxiv = [n.partition(":")[2] for n in numbers if n.startswith("arXiv:")]
    at = f"https://arxiv.org/abs/{arxiv[0]}" if arxiv else f"#{reference['title']}"
    authors = [person(crate, author) for author in reference["authors"]]
    return entity(crate, at, "ScholarlyArticle", name=reference["title"], author=authors)


def add_workflow(crate: ROCrate, citation: Mapping[str, Any], snakemake: str) -> Any:
    """The Snakefile as the main entity, in Snakemake's language."""
    workflow = crate.get(WORKFLOW)
    language = entity(
        crate,
        "https://w3id.org/workflowhub/workflow-ro-crate#snakemake",
        "ComputerLanguage",
        name="Snakemake",
        url="https://snakemake.readthedocs.io",
        version=snakemake,
    )
    set_properties(
        workflow,
        name=citation["title"],
        conformsTo=entity(crate, BIOSCHEMAS, "CreativeWork", name="Bioschemas workflow"),
        programmingLanguage=language,
        version=citation["version"],
        author=crate.root_dataset["author"],
        license=crate.root_dataset["license"],
    )
    for rules in [e for e in crate.get_entities() if str(e.id).endswith(".smk")]:
        set_properties(
            rules, programmingLanguage=language, isPartOf=workflow, version=citation["version"]
        )
    crate.root_dataset["mainEntity"] = workflow
    return workflow


def add_folders(crate: ROCrate, paths: list[str]) -> list[Any]:
    """The top-level folders of the artifacts."""
    folders = {}
    for path in paths:
        folders.setdefault(f"{PurePath(path).parts[0]}/", []).append(crate.get(path))
    return [
        set_properties(crate.add(Dataset(crate, None, name)), name=name, hasPart=files)
        for name, files in folders.items()
    ]


def parameter(crate: ROCrate, name: str, kind: str, examples: list[Any]) -> Any:
    """A formal parameter of the workflow with its values in this run."""
    made = entity(
        crate,
        f"#parameter/{name}",
        "FormalParameter",
        name=name,
        additionalType=kind,
        workExample=examples,
    )
    for example in examples:
        example["exampleOfWork"] = made
    return made


def action(crate: ROCrate, identifier: str, name: str, jobs: list[Job]) -> Any:
    """An action of these jobs, from the start of the first to the end of the last."""
    made = entity(crate, identifier, "CreateAction", name=name, actionStatus=DONE)
    if all(job.started and job.ended for job in jobs):
        made["startTime"] = min(job.started for job in jobs).isoformat(timespec="seconds")
        made["endTime"] = max(job.ended for job in jobs).isoformat(timespec="seconds")
    crate.root_dataset.append_to("mentions", made)
    return made


def add_jobs(
    crate: ROCrate, jobs: list[Job], workflow: Any, run: Any, place: Callable[[str], str]
) -> None:
    """Each rule as a tool and a step, each job as an action that Snakemake controlled."""
    controls = []
    for number, job in enumerate(jobs):
        tool = entity(crate, f"#rule/{job.rule}", "SoftwareApplication", name=job.rule)
        step = entity(crate, f"#step/{job.rule}", "HowToStep", name=job.rule, workExample=tool)
        made = action(crate, f"#job/{number}", f"{job.rule}: {job.outputs[0]}", [job])
        set_properties(
            made,
            instrument=tool,
            object=[crate.get(place(path)) for path in job.inputs],
            result=[crate.get(place(path)) for path in job.outputs],
        )
        if job.command:
            made["description"] = job.command
        control = entity(crate, f"#control/{number}", "ControlAction", name=job.rule)
        set_properties(control, instrument=step, object=made)
        controls.append(control)
    rules = list(dict.fromkeys(job.rule for job in jobs))
    workflow["hasPart"] = [crate.get(f"#rule/{name}") for name in rules]
    workflow["step"] = [crate.get(f"#step/{name}") for name in rules]
    language = workflow["programmingLanguage"]
    about = {name: language[name] for name in ("name", "url", "version")}
    organise = entity(crate, "#organise", "OrganizeAction", name="Snakemake's run of the workflow")
    engine = entity(crate, "#snakemake", "SoftwareApplication", **about)
    set_properties(organise, instrument=engine, object=controls, result=run)
    crate.root_dataset.append_to("mentions", organise)
