"""Write a run as a Workflow RO-Crate: the description alone, or a zip file with all files.

All paths are relative to the folder of the run, which must be the current folder.
"""

import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from functools import partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path, PurePosixPath

import yaml

from hrta.runtime.files import whole_file, write_json
from hrta.study.pipeline.crate import describe
from hrta.study.pipeline.manifest import Manifest, read_manifest

METADATA = "ro-crate-metadata.json"


def write_crate(manifest_file: Path, code: Path, more: Iterable[Path], output: Path) -> None:
    """Write the crate of a run; after an error no file is left.

    Args:
        manifest_file: manifest of the run.
        code: folder of the workflow.
        more: further files and folders of the crate.
        output: *.json for the description alone, or *.zip.

    Raises:
        ValueError: a missing or invalid manifest, or a missing file of the manifest.
    """
    manifest = read_manifest(manifest_file)
    files = _files_of(manifest, manifest_file, code, more)
    citation = yaml.safe_load((code / "CITATION.cff").read_text(encoding="utf-8"))
    place = partial(_place, code=code)
    crate = describe(manifest, citation, files, place, version("snakemake"))
    description = crate.metadata.generate()
    if output.suffix == ".zip":
        _write_zip(description, files, output)
    else:
        write_json(description, output)


def _place(path: str, code: Path) -> str:
    """The path in the crate, which merges the folders of the run and of the workflow."""
    for folder in (Path(), code):
        relative = Path(os.path.relpath(path, folder))
        if ".." not in relative.parts:
            return relative.as_posix()
    # A configuration file in another folder.
    return f"given/{Path(path).name}"


def _files_of(
    manifest: Manifest, manifest_file: Path, code: Path, more: Iterable[Path]
) -> dict[str, Path]:
    """The files of the crate, by their paths in it."""
    used = (path for job in manifest.jobs for path in job.inputs)
    within = chain.from_iterable(path.rglob("*") if path.is_dir() else [path] for path in more)
    beside = [path for path in within if path.is_file() and not path.name.startswith(".")]
    paths = [*manifest.artifacts, *used, *manifest.configuration, manifest_file, *beside]
    files = {_place(str(path), code): Path(path) for path in paths}
    missing = sorted(str(file) for file in files.values() if not file.is_file())
    if missing:
        raise ValueError(f"{missing[0]}: in the manifest, but there is no such file")
    return files


def _write_zip(description: Mapping[str, object], files: Mapping[str, Path], output: Path) -> None:
    """Write the description and the files as a zip file."""
    with (
        whole_file(output) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.writestr(METADATA, json.dumps(description, indent=2, ensure_ascii=False))
        # Folders need entries, as some of them are described.
        above = chain.from_iterable(PurePosixPath(path).parents[:-1] for path in files)
        for folder in sorted(set(above)):
            archive.mkdir(str(folder))
        for path, source in sorted(files.items()):
            archive.write(source, path)
