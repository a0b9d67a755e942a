"""Write a run as a Workflow RO-Crate: the description alone, or a zip with all files.

To be run in the folder of the run, to which all paths are relative.
"""

import argparse
import json
import os
import sys
import zipfile
from importlib.metadata import version
from itertools import chain
from pathlib import Path, PurePosixPath

import yaml
from crate import describe

from hrta.runtime.files import whole_file, write_json
from hrta.study.pipeline.manifest import Manifest, read_manifest

METADATA = "ro-crate-metadata.json"


def place(path: str, code: Path) -> str:
    """The path in the crate, where the folders of the run and of the workflow are one."""
    for folder in (Path(), code):
        relative = Path(os.path.relpath(path, folder))
        if ".." not in relative.parts:
            return relative.as_posix()
    # A configuration from elsewhere.
    return f"given/{Path(path).name}"


def files_of(manifest: Manifest, manifest_file: Path, code: Path, more: list[Path]) -> dict:
    """All that lies in the crate: its path there, and where it is now."""
    used = (path for job in manifest.jobs for path in job.inputs)
    within = chain.from_iterable(path.rglob("*") if path.is_dir() else [path] for path in more)
    beside = [path for path in within if path.is_file() and not path.name.startswith(".")]
    paths = [*manifest.artifacts, *used, *manifest.configuration, manifest_file, *beside]
    files = {place(str(path), code): Path(path) for path in paths}
    missing = sorted(str(file) for file in files.values() if not file.is_file())
    if missing:
        raise ValueError(f"{missing[0]}: it is in the manifest, but there is no such file")
    return files


def write_zip(description: dict, files: dict[str, Path], output: Path) -> None:
    """The description and the files as a zip."""
    with (
        whole_file(output) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        text = json.dumps(description, indent=2, ensure_ascii=False)
        archive.writestr(METADATA, text)
        # Folders have entries of their own, as some of them are described.
        above = chain.from_iterable(PurePosixPath(path).parents[:-1] for path in files)
        for folder in sorted(set(above)):
            archive.mkdir(str(folder))
        for path, source in sorted(files.items()):
            archive.write(source, path)


def write(manifest_file: Path, code: Path, more: list[Path], output: Path) -> None:
    """The crate of the run with this manifest, whole or not there at all."""
    manifest = read_manifest(manifest_file)
    files = files_of(manifest, manifest_file, code, more)
    citation = yaml.safe_load((code / "CITATION.cff").read_text())
    made = describe(manifest, citation, files, lambda path: place(path, code), version("snakemake"))
    description = made.metadata.generate()
    if output.suffix == ".zip":
        write_zip(description, files, output)
    else:
        write_json(description, output)


def main() -> None:
    """Write the crate as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--code", type=Path, required=True, help="folder of the workflow")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="to go into the crate")
    parser.add_argument("--output", type=Path, required=True, help="*.json or *.zip")
    arguments = parser.parse_args()
    try:
        write(arguments.manifest, arguments.code, arguments.more, arguments.output)
    except (ValueError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
