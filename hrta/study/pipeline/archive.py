"""Write a run as a Workflow RO-Crate: the description alone, or a zip with all files.

All paths are relative to the folder of the run, which must be the current one.
"""

import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from itertools import chain
from pathlib import Path, PurePosixPath

import yaml

from hrta.runtime.files import whole_file, write_json
from hrta.study.pipeline.crate import describe
from hrta.study.pipeline.manifest import Manifest, read_manifest

METADATA = "ro-crate-metadata.json"


def write_crate(manifest_file: Path, code: Path, more: Iterable[Path], output: Path) -> None:
    """The crate of a run, whole or not there at all.

    Args:
        manifest_file: manifest of the run.
        code: folder of the workflow.
        more: files and folders that go into the crate, too.
        output: *.json for the description alone, or *.zip.

    Raises:
        ValueError: a file that the manifest has and that is not there, or no manifest.
    """
    manifest = read_manifest(manifest_file)
    files = _files_of(manifest, manifest_file, code, more)
    citation = yaml.safe_load((code / "CITATION.cff").read_text())
    crate = describe(
        manifest, citation, files, lambda path: _place(path, code), version("snakemake")
    )
    description = crate.metadata.generate()
    if output.suffix == ".zip":
        _write_zip(description, files, output)
    else:
        write_json(description, output)


def _place(path: str, code: Path) -> str:
    """The path in the crate, where the folders of the run and of the workflow are one."""
    for folder in (Path(), code):
        relative = Path(os.path.relpath(path, folder))
        if ".." not in relative.parts:
            return relative.as_posix()
    # A configuration from elsewhere.
    return f"given/{Path(path).name}"


def _files_of(
    manifest: Manifest, manifest_file: Path, code: Path, more: Iterable[Path]
) -> dict[str, Path]:
    """All that lies in the crate: its path there, and where it is now."""
    used = (path for job in manifest.jobs for path in job.inputs)
    within = chain.from_iterable(path.rglob("*") if path.is_dir() else [path] for path in more)
    beside = [path for path in within if path.is_file() and not path.name.startswith(".")]
    paths = [*manifest.artifacts, *used, *manifest.configuration, manifest_file, *beside]
    files = {_place(str(path), code): Path(path) for path in paths}
    missing = sorted(str(file) for file in files.values() if not file.is_file())
    if missing:
        raise ValueError(f"{missing[0]}: it is in the manifest, but there is no such file")
    return files


def _write_zip(description: Mapping[str, object], files: Mapping[str, Path], output: Path) -> None:
    """The description and the files as a zip."""
    with (
        whole_file(output) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.writestr(METADATA, json.dumps(description, indent=2, ensure_ascii=False))
        # Folders have entries of their own, as some of them are described.
        above = chain.from_iterable(PurePosixPath(path).parents[:-1] for path in files)
        for folder in sorted(set(above)):
            archive.mkdir(str(folder))
        for path, source in sorted(files.items()):
            archive.write(source, path)
