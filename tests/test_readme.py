import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_code_in_the_readme_runs(capsys):
    code = "".join(re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL))
    shorter = code.replace("width=500", "width=20").replace("steps=1000", "steps=20")
    exec(compile(shorter, "README.md", "exec"), {})
    assert "loss" in capsys.readouterr().out


@pytest.mark.parametrize("link", re.findall(r"\]\(((?!https?:)[^)]+)\)", README))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()
