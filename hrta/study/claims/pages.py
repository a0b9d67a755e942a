"""The verdicts on the claims as Markdown: the summary for README.md, and the page claims.md."""

from functools import partial
from pathlib import Path, PurePath
from textwrap import fill

import pandas as pd

from hrta.study.analysis.schema import CLAIM_CELL, Labels
from hrta.study.analysis.tables import MISSING, marked_ratios
from hrta.study.claims.judgement import verdict
from hrta.study.claims.verdicts import CONTRADICTED, FEWEST_PAIRS, INCONCLUSIVE, REPRODUCED
from hrta.study.config.claims import Claim, Claims

CELL_VERDICTS = [REPRODUCED, CONTRADICTED, INCONCLUSIVE]
INTRODUCTION = (
    "The claims and their verdicts. The rules are stated in [docs/claims.md](docs/claims.md), "
    "which also says what of them was fixed before the runs and what later:"
)
LEGEND = (
    "A cell is a combination of problem, width, optimizer, learning rate and method; its ratio is "
    "that of the final losses (or of what else is claimed to be smaller), and below 1 speaks for "
    "the claim. Three numbers in a row count reproduced / contradicted / inconclusive cells."
)
NUMBERS = ["claim", "pairs", "ratio", "low", "high", "p", "p_holm"]
# The columns by whose values the page counts cells.
COLUMNS = [name for name in CLAIM_CELL if name != "baseline"]


def read_cells(file: str | Path) -> pd.DataFrame:
    """The verdicts on the cells of all claims, as `hrta claims` writes them to a CSV file.

    Raises:
        ValueError: a file that is missing or without a required column.
    """
    try:
        cells = pd.read_csv(file, dtype=str, keep_default_na=False)
        numbers = {name: pd.to_numeric(cells[name]) for name in NUMBERS}
        return cells[["verdict", *COLUMNS, "baseline"]].assign(**numbers)
    except FileNotFoundError:
        raise ValueError(f"{file}: there is no such file; `snakemake claims` makes it") from None
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"{file}: not the verdicts on the claims ({error}); make it again"
        ) from None


def readme_block(claims: Claims, cells: pd.DataFrame) -> str:
    """The summary with its introduction, for README.md."""
    return f"{INTRODUCTION}\n\n{summary(claims, cells)}"


def summary(claims: Claims, cells: pd.DataFrame, root: str = "") -> str:
    """One row for each claim: its number, statement, source, verdict, cells and notebook.

    Args:
        claims: the claims.
        cells: rows of `hrta.study.claims.judgement.evaluate`.
        root: relative path from the page to the folder that the notebooks' paths are relative to.
    """
    rows = []
    for number, claim, its in each_claim(claims, cells):
        notebook = claim.shown.notebook
        rows.append(
            {
                "#": number,
                "claim": claim.statement,
                "source": claim.source,
                "verdict": f"**{verdict(claim, its)}**",
                "cells": "; ".join(cells_in_words(claim, its, claims.labels)),
                "notebook": f"[{PurePath(notebook).stem}]({root}{notebook})",
            }
        )
    return f"{pd.DataFrame(rows).to_markdown(index=False)}\n\n*{LEGEND}*\n"


def lines(claims: Claims, cells: pd.DataFrame, width: int) -> str:
    """The content of the summary as lines of at most `width` characters, for a terminal."""
    indent = " " * 4
    parts = []
    for number, claim, its in each_claim(claims, cells):
        said = f"{claim.statement} ({claim.source}): {verdict(claim, its).upper()}"
        counted = "; ".join(cells_in_words(claim, its, claims.labels))
        wrap = partial(fill, width=width, subsequent_indent=indent)
        parts += [wrap(said, initial_indent=f"{number:>2}  ")]
        parts += [wrap(text, initial_indent=indent) for text in (counted, claim.shown.notebook)]
    return "\n".join([*parts, "", fill(LEGEND, width)]) + "\n"


def page(claims: Claims, cells: pd.DataFrame, root: str) -> str:
    """The summary, the rules, and for each claim the counts of verdicts and all cells.

    Args: as for `summary`.
    """
    parts = ["# Verdicts on the claims", summary(claims, cells, root).rstrip()]
    parts.append("\n".join(f"- *{name}*: {meaning}" for name, meaning in claims.rules.items()))
    parts.append(
        "Below, ratios have their 95 % interval or, under the rule *every*, their range: ▼ all of "
        f"it is below 1, ▲ above. With fewer than {FEWEST_PAIRS} pairs *paired* decides nothing."
    )
    for number, claim, its in each_claim(claims, cells):
        parts += _section(number, claim, its, claims.labels)
    return "\n\n".join(parts) + "\n"


def each_claim(claims: Claims, cells: pd.DataFrame) -> list[tuple[int, Claim, pd.DataFrame]]:
    """Number, claim and cells of each claim."""
    return [(n, claim, cells[cells["claim"] == n]) for n, claim in claims.claims.items()]


def _section(number: int, claim: Claim, cells: pd.DataFrame, labels: Labels) -> list[str]:
    rules = " and ".join(dict.fromkeys(f"*{judged.rule}*" for judged in claim.judged_on))
    source = f"{claim.source}: {claim.note}" if claim.note else claim.source
    about = f"Source: {source}. Rule: {rules}. Target: `{claim.shown.target}`."
    title = f"## {number}. {claim.statement}"
    tables = [counts_by_value(cells, labels), readable_cells(cells, labels)]
    return [title, about, *(table.to_markdown(index=False) for table in tables)]


def _varying(cells: pd.DataFrame, columns: list[str]) -> list[str]:
    """The columns in which the cells differ."""
    return [name for name in columns if cells[name].nunique() > 1]


def _label(value: object, column: str, labels: Labels) -> str:
    text = labels.get(str(value), str(value)) or MISSING
    return f"m = {text}" if column == "width" and text != MISSING else text


def _counted(cells: pd.DataFrame) -> pd.Series:
    return cells["verdict"].value_counts().reindex(CELL_VERDICTS, fill_value=0)


def cells_in_words(claim: Claim, cells: pd.DataFrame, labels: Labels) -> list[str]:
    """The counts of verdicts, the range of the ratios and, if verdicts differ, counts by column."""
    counted = ", ".join(f"{count} {name}" for name, count in _counted(cells).items() if count)
    words = [f"{counted} of {len(cells)}", f"ratios {_range(cells)}"]
    if cells["verdict"].nunique() > 1:
        for name in _varying(cells, claim.told_by):
            groups = cells.groupby(name, sort=False)
            parts = [f"{_label(v, name, labels)} {_in_a_row(each)}" for v, each in groups]
            words.append(", ".join(parts))
    few = int((cells["p"].notna() & (cells["pairs"] < FEWEST_PAIRS)).sum())
    if few:
        words.append(f"{few} with fewer than {FEWEST_PAIRS} pairs, too few to decide")
    return words


def _in_a_row(cells: pd.DataFrame) -> str:
    return "/".join(map(str, _counted(cells)))


def _range(cells: pd.DataFrame) -> str:
    low, high = f"{cells['ratio'].min():.3g}", f"{cells['ratio'].max():.3g}"
    return low if low == high else f"{low} to {high}"


def counts_by_value(cells: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """The counts of verdicts, for each value of the columns in which the cells differ."""
    groups = {("all", ""): cells}
    for name in _varying(cells, COLUMNS):
        groups |= {(name, value): each for value, each in cells.groupby(name, sort=False)}
    return pd.DataFrame(
        {"by": name.replace("_", " "), "": _label(value, name, labels)}
        | _counted(each).to_dict()
        | {"ratios": _range(each)}
        for (name, value), each in groups.items()
    )


def readable_cells(cells: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """The cells as a table of texts."""
    text = pd.DataFrame(
        {
            name.replace("_", " "): [_label(value, name, labels) for value in cells[name]]
            for name in _varying(cells, [*COLUMNS, "baseline", "pairs"])
        },
        index=cells.index,
    )
    text["ratio"] = marked_ratios(cells, ["ratio", "low", "high"])
    if cells["p"].notna().any():
        text["p, Holm"] = cells["p_holm"].map("{:.2g}".format).where(cells["p"].notna(), MISSING)
    return text.assign(verdict=cells["verdict"])
