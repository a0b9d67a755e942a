"""What a person sees of a notebook that fails."""

import nbformat
from checkout import Checkout


def test_a_failed_notebook_shows_its_error_and_not_its_content(tmp_path):
    checkout = Checkout(tmp_path / "checkout")
    file = checkout.folder / "notebooks/activations.ipynb"
    notebook = nbformat.read(file, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("1 / 0"))
    nbformat.write(notebook, file)
    done = checkout.snakemake("figure_activations")
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "ZeroDivisionError: division by zero" in said
    assert "with all details: logs/notebooks/figure_activations.ipynb" in said
    assert "nbformat" not in said
    assert "\x1b" not in said
    draft = checkout.made / "logs/notebooks/figure_activations.ipynb"
    assert nbformat.read(draft, as_version=4).cells[-1].outputs[0].ename == "ZeroDivisionError"
