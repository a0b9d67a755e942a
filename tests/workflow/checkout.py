"""A copy of the workflow to run, edit and break."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pandas as pd

from hrta.study.pipeline.recorded import CODE, NOT_CODE

ROOT = Path(__file__).parents[2]


class Checkout:
    """A copy of the workflow in a folder of its own; made if there is none.

    Attributes:
        folder: the folder of the workflow.
        made: the folder in which it runs, and so of all that it makes.
    """

    def __init__(self, folder: Path, made: str = ".") -> None:
        self.folder, self.made = folder, folder / made
        if not (folder / "Snakefile").exists():
            self._copy()

    def _copy(self) -> None:
        self.folder.mkdir(exist_ok=True)
        ignored = shutil.ignore_patterns(*NOT_CODE)
        for part in CODE:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, self.folder / part, ignore=ignored, symlinks=True)
            else:
                shutil.copy(ROOT / part, self.folder / part)

    def snakemake(
        self,
        *targets: str,
        options: tuple = (),
        config: tuple = ("config/smoke.yaml",),
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess:
        """Run Snakemake, on the smoke configuration where no other is given."""
        where = ("--directory", str(self.made))
        command = ["snakemake", "--cores", "2", *where, *options]
        command += ["--configfile", *config, "--", *targets]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | dict(environment or {}),
            capture_output=True,
            text=True,
            check=False,
        )

    def planned(self, *targets: str, options: tuple = (), **given: tuple) -> dict[str, int]:
        """How many jobs of each rule a dry run would run."""
        dry = ("--dry-run", "--quiet", "rules", *options)
        done = self.snakemake(*targets, options=dry, **given)
        assert done.returncode == 0, done.stderr
        words = [line.split() for line in (done.stdout + done.stderr).splitlines()]
        return {line[0]: int(line[1]) for line in words if len(line) == 2 and line[1].isdigit()}

    def files(self) -> dict[str, bytes]:
        """All that a run has made and that is the same in every run."""
        made = [
            path
            for top in ("data", "figures", "tables", "results")
            for path in (self.made / top).rglob("*")
            if path.is_file() and path.suffix not in (".json", ".tsv")
        ]
        return {str(path.relative_to(self.made)): path.read_bytes() for path in made}

    def numbers(self) -> dict[str, bytes | str | dict]:
        """All files as they should be in every run, and records, without the time that it took."""
        files = self.files()
        for name, content in files.items():
            if name.endswith(".parquet"):
                table = pd.read_parquet(BytesIO(content))
                if "seconds" in table:
                    files[name] = table.drop(columns="seconds").to_csv(float_format=repr)
        for path in (self.made / "results").rglob("*.json"):
            if path.with_suffix(".parquet").exists():
                record = json.loads(path.read_text())
                for measured in ("wall_time", "work_time", "threads"):
                    del record[measured]
                files[str(path.relative_to(self.made))] = record
        return files

    def edit(self, name: str, old: str, new: str) -> None:
        file = self.folder / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))
