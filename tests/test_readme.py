import re
import warnings
from importlib import import_module
from pathlib import Path

import pytest
import typer

from hrta.cli.main import app
from hrta.drop_in import CLASSES

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")))]
OPTIONAL = ["pytorch_lightning", "transformers"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the Python code of a page in an empty folder, some numbers of it made smaller.

    All blocks, one after another; those with optional packages without the warnings of these.
    """

    def run(name, *shorter):
        monkeypatch.chdir(tmp_path)
        page, names = (ROOT / name).read_text(), {"__name__": "page"}
        for block in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
            for old, new in shorter:
                block = block.replace(old, new)
            with warnings.catch_warnings():
                if any(f"import {name}" in block or f"from {name}" in block for name in OPTIONAL):
                    warnings.simplefilter("ignore")
                exec(compile(block, name, "exec"), names)
        assert all(old in page for old, _ in shorter)
        return names

    return run


def test_the_code_in_the_readme_runs(run, capsys):
    run("README.md", ("width=500", "width=20"), ("steps=1000", "steps=20"))
    assert "loss" in capsys.readouterr().out


def test_the_code_about_the_competitors_runs(run, capsys):
    run("docs/competitors.md", ("width=50", "width=10"), ("steps=400", "steps=10"))
    assert "[" in capsys.readouterr().out


def test_the_code_about_the_extensions_runs(run, capsys):
    smaller = [("width=200", "width=20"), ("width=50", "width=5"), ("steps=400", "steps=10")]
    run(
        "docs/extensions.md",
        *smaller,
        ("1.0, 100", "1.0, 5"),
        ("1.5, 100", "1.5, 5"),
        ("200)]", "10)]"),
    )
    assert "lowest energy -4.93" in capsys.readouterr().out


def test_the_code_in_the_guide_runs(run, capsys):
    names = run("docs/guide.md", ("epochs=6", "epochs=1"))
    output = capsys.readouterr().out
    assert "now s = 1.5" in output
    assert "1.5 True" in output  # compiled, in the second stage
    # 16 steps before and 16 after it was resumed; a stage has 20.
    assert float(names["regression"].network[1].s) == 1.5
    assert "[1.0, 1.0, 1.5, 1.5]" in output


def test_the_guide_lists_what_can_be_converted():
    listed = re.findall(r"^\| `nn\.(\w+)` \|", (ROOT / "docs/guide.md").read_text(), re.MULTILINE)
    assert listed == [known.__name__ for known in CLASSES]


def test_the_code_about_the_architecture_runs(run, capsys):
    run("docs/architecture.md")
    imported = dict(line.split(" ->") for line in capsys.readouterr().out.splitlines())
    assert "hrta.problems" in imported["hrta.training"]
    assert not imported["hrta.schedules"].strip()


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist_with_their_options(page):
    tree, text = typer.main.get_command(app), (ROOT / page).read_text()
    for line in re.findall(r"(?:`|^    )hrta ([^`#\n]+)", text, re.MULTILINE):
        command, words = tree, line.split()
        while hasattr(command, "commands"):
            word = words.pop(0)
            if word.startswith("--"):
                break
            assert word in command.commands, f"hrta {line}"
            command = command.commands[word]
        known = {option for each in command.params for option in each.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known, f"hrta {line}"


@pytest.mark.parametrize("page", PAGES)
def test_names_in_the_text_exist(page):
    for name in re.findall(r"`(hrta(?:\.\w+)+)", (ROOT / page).read_text()):
        found = import_module("hrta")
        for part in name.split(".")[1:]:
            if not hasattr(found, part):
                import_module(f"{found.__name__}.{part}")
            found = getattr(found, part)


@pytest.mark.parametrize("page", PAGES)
def test_files_in_the_text_exist(page):
    for path in re.findall(
        r"`((?:hrta|config|tests|workflow)/[\w/.]*)`", (ROOT / page).read_text()
    ):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize(
    ("page", "link"),
    [
        (page, link)
        for page in PAGES
        for link in re.findall(r"\]\(((?!https?:|#)[^)]+)\)", (ROOT / page).read_text())
    ],
)
def test_links_lead_somewhere(page, link):
    assert (ROOT / page).parent.joinpath(link.split("#")[0]).exists()
