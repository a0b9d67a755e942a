import os
import subprocess
import sys

import pytest
from small_run import RECORD, write_manifest

from hrta.runtime.files import sha256
from hrta.study.pipeline.info import explain
from hrta.study.pipeline.manifest import PLACE, read_manifest


def rows(folder, name):
    """What is said of a file: the text of each row, by the row's name."""
    said = explain(folder / name, read_manifest(folder / PLACE), folder)
    heading, *lines = said.splitlines()
    assert heading == name
    assert len(lines) < 25
    assert all(len(line) <= 100 for line in lines)
    found = []
    for line in lines:
        if line[2] == " ":  # goes on with the row before
            found[-1][1] += f" {line.strip()}"
        else:
            found.append([part.strip() for part in line[2:].split("  ", 1)])
    return dict(found)


def test_a_result_tells_its_spec_and_what_made_it(small_run):
    said = rows(small_run, "results/r.parquet")
    assert said["state"] == "as it was made"
    assert said["SHA-256"] == sha256(small_run / "results/r.parquet")
    assert said["size"] == "5 bytes"
    assert said["rule"] == "result"
    assert said["made"].endswith(" UTC, in 2.5 s")
    assert said["command"].startswith("echo rows > results/r.parquet && cp ")
    assert said["memory"].endswith(" MB at most")
    assert said["made from"] == "large.bin, 1 source file"
    assert said["inputs"] == "all as they were then"
    assert said["job"] == "train"
    assert said["width"] == "8"
    assert said["methods"] == '{"relu": [1.0, 1.0]}'
    assert said["seeds"] == "0 … 3"
    assert said["device"] == "cpu (some processor), float32"
    assert said["versions"] == "python 3.11.0, torch 2.6.0"
    assert "behind it" not in said


@pytest.mark.parametrize("name", ["figures/f.png", "figures/f.pdf"])
def test_a_figure_tells_what_the_results_behind_it_were_made_with(small_run, name):
    said = rows(small_run, name)
    assert said["rule"] == "figure"
    assert said["made from"] == "results/r.parquet, 1 source file"
    assert said["behind it"] == "1 job: result"
    assert said["seeds"] == "0 … 3"
    assert said["device"] == f"cpu ({RECORD['cpu']}), float32"
    assert "width" not in said


def test_what_has_changed_since_is_said(small_run):
    (small_run / "source.py").write_text("sigma = 2\n")
    (small_run / "large.bin").unlink()
    assert rows(small_run, "figures/f.png")["inputs"] == "CHANGED since: large.bin, source.py"
    assert rows(small_run, "figures/f.png")["state"] == "as it was made"
    (small_run / "figures/f.png").write_text("painted over\n")
    assert rows(small_run, "figures/f.png")["state"] == "CHANGED since the manifest was made"
    assert rows(small_run, "figures/f.pdf")["state"] == "as it was made"
    (small_run / "large.bin").write_bytes(b"z")
    assert write_manifest(small_run).returncode == 0
    assert "WRITTEN AFTER its job" in rows(small_run, "figures/f.png")["state"]


def hrta_info(*arguments, folder=None):
    command = [sys.executable, "-m", "hrta", "info", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_command_finds_the_manifest_from_anywhere(small_run, tmp_path):
    done = hrta_info("f.png", folder=small_run / "figures")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("figures/f.png\n  state ")
    (small_run / PLACE).replace(tmp_path / "elsewhere.json")
    given = ("figures/f.png", "--manifest", tmp_path / "elsewhere.json")
    assert hrta_info(*given, folder=small_run).stdout == done.stdout


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("config.yaml", "not in the manifest; no job of that run made it"),
        ("source.py", "in the manifest only as an input of 2 jobs"),
        ("none.png", "there is no such file"),
    ],
)
def test_a_file_that_no_job_made_is_one_line(small_run, name, line):
    done = hrta_info(name, folder=small_run)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"hrta: {name}: {line}\n")


def test_no_manifest_or_half_a_manifest_is_one_line(small_run):
    text = (small_run / PLACE).read_text()
    (small_run / PLACE).write_text(text[:1000])
    done = hrta_info("figures/f.png", folder=small_run)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"hrta: {small_run / PLACE}: not a complete manifest (")
    assert len(done.stderr.splitlines()) == 1
    (small_run / PLACE).unlink()
    done = hrta_info("figures/f.png", folder=small_run)
    assert (done.returncode, done.stdout) == (1, "")
    line = f"figures/f.png: no {PLACE} in any folder above it; name one with --manifest"
    assert done.stderr == f"hrta: {line}\n"


def test_lines_are_as_long_as_the_terminal_is_wide(small_run):
    manifest = read_manifest(small_run / PLACE)
    for width in (60, 100):
        text = explain(small_run / "figures/f.png", manifest, small_run, width)
        lines = [line for line in text.splitlines() if "SHA-256" not in line]
        assert 40 < max(map(len, lines)) <= width


def check(folder, *options):
    command = [sys.executable, "-m", "hrta", "info", "--check", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_all_files_are_compared_with_the_manifest(small_run):
    done = check(small_run)
    assert (done.returncode, done.stdout) == (0, f"all 4 files are as in {small_run / PLACE}\n")
    file = small_run / "results/r.parquet"
    times = file.stat()
    file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    (small_run / "figures/f.pdf").unlink()
    done = check(small_run.parent, "--manifest", str(small_run / PLACE))
    assert done.returncode == 1
    assert sorted(done.stdout.splitlines()) == [
        "figures/f.pdf: missing",
        "results/r.parquet: CHANGED since the manifest was made",
    ]
    assert done.stderr.startswith("hrta: 2 of 4 files are not as in ")
    assert done.stderr.endswith("; snakemake --forcerun FILE ... makes them anew\n")


def test_without_a_file_the_command_says_what_it_needs(tmp_path):
    command = [sys.executable, "-m", "hrta", "info"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "name a file, or give --check" in done.stderr
