import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def run(name, *shorter):
    """The Python code of a page, all blocks one after another, with some numbers made smaller."""
    code = "".join(re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), flags=re.DOTALL))
    for old, new in shorter:
        assert old in code
        code = code.replace(old, new)
    exec(compile(code, name, "exec"), {})


def test_the_code_in_the_readme_runs(capsys):
    run("README.md", ("width=500", "width=20"), ("steps=1000", "steps=20"))
    assert "loss" in capsys.readouterr().out


def test_the_code_about_the_siblings_runs(capsys):
    run("docs/siblings.md", ("width=50", "width=10"), ("steps=400", "steps=10"))
    assert "[" in capsys.readouterr().out


@pytest.mark.parametrize("link", re.findall(r"\]\(((?!https?:)[^)]+)\)", README))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()
