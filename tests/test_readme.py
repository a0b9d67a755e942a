import re
from importlib import import_module
from pathlib import Path

import api_reference
import code_blocks
import pytest
import typer

from hrta.cli.main import app
from hrta.drop_in import CLASSES

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")))]


@pytest.fixture
def printed(tmp_path, monkeypatch):
    """Runs the Python code of a page in an empty folder, some numbers of it made smaller."""

    def run(name, *shorter):
        monkeypatch.chdir(tmp_path)
        page = (ROOT / name).read_text()
        for old, new in shorter:
            assert old in page
            page = page.replace(old, new)
        return "".join(block.printed for block in code_blocks.run(page, name))

    return run


def test_the_code_in_the_readme_runs(printed):
    assert "loss" in printed("README.md", ("width=500", "width=20"), ("steps=1000", "steps=20"))


def test_the_code_about_the_competitors_runs(printed):
    smaller = [("width=50", "width=10"), ("steps=400", "steps=10")]
    assert "[" in printed("docs/competitors.md", *smaller)


def test_the_code_about_the_extensions_runs(printed):
    smaller = [("width=200", "width=20"), ("width=50", "width=5"), ("steps=400", "steps=10")]
    output = printed(
        "docs/extensions.md",
        *smaller,
        ("1.0, 100", "1.0, 5"),
        ("1.5, 100", "1.5, 5"),
        ("200)]", "10)]"),
    )
    assert "lowest energy -4.93" in output


def test_the_code_in_the_guide_prints_what_the_guide_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = list(code_blocks.run((ROOT / "docs/guide.md").read_text(), "docs/guide.md"))
    for block in blocks:
        words, numbers = apart(block.printed)
        expected_words, expected_numbers = apart(block.shown)
        assert words == expected_words, block.code
        # Rounding differs between processors, and training makes more of it.
        assert numbers == pytest.approx(expected_numbers, rel=0.1, abs=1e-3), block.code
    assert sum(bool(block.shown) for block in blocks) > 10


def test_the_reference_is_that_of_the_docstrings():
    """`make pages` makes it anew."""
    assert api_reference.PAGE.read_text() == api_reference.page()


def apart(output):
    """A text without its numbers and spaces, and the numbers; times are left out."""
    output = re.sub(r"'train_(runtime|\w+_per_second)': '[^']*'", "", output)
    numbers = re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", output)
    return re.sub(r"[-\d.e\s]", "", output), [float(number) for number in numbers]


def test_the_guide_lists_what_can_be_converted():
    listed = re.findall(r"^\| `nn\.(\w+)` \|", (ROOT / "docs/guide.md").read_text(), re.MULTILINE)
    assert listed == [known.__name__ for known in CLASSES]


def test_the_code_about_the_architecture_runs(printed):
    imported = dict(line.split(" ->") for line in printed("docs/architecture.md").splitlines())
    assert "hrta.problems" in imported["hrta.training"]
    assert imported["hrta.schedules"].split() == ["hrta.runtime"]


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
