"""The verdicts on the claims as pages: the summary in README.md, and all of them in a table's."""

from pathlib import PurePath

import pandas as pd

from hrta.claims import verdict
from hrta.config_claims import Claim, Claims
from hrta.tables import marked_ratio
from hrta.verdicts import CONTRADICTED, FEWEST_PAIRS, INCONCLUSIVE, REPRODUCED

START, END = "<!-- claims -->", "<!-- /claims -->"
CELL_VERDICTS = [REPRODUCED, CONTRADICTED, INCONCLUSIVE]
# By what cells are told apart in the summary, and by what on the page.
SHORT = ["optimizer", "method"]
LONG = ["problem", "width", "optimizer", "learning_rate", "network", "method", "measure"]


def split(page: str, name: str) -> tuple[str, str]:
    """A page before and after what stands between `START` and `END`, these included.

    Raises:
        ValueError: they are not there, once each and in this order.
    """
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end) or START in rest or END in before + after:
        raise ValueError(f"{name}: {START} and {END} must be there once, in this order")
    return f"{before}{START}\n", f"{END}{after}"


def summary(claims: Claims, cells: pd.DataFrame, root: str = "") -> str:
    """One row for each claim: its number, statement, source, verdict, breakdown and notebook.

    Args:
        claims: what was judged.
        cells: rows as `hrta.claims.evaluate` makes them.
        root: what leads from the page to the folder that the notebooks' paths start in.
    """
    rows = []
    for number, claim, its in _each(claims, cells):
        notebook = claim.shown.notebook
        rows.append(
            {
                "#": number,
                "claim": claim.statement,
                "source": claim.source,
                "verdict": f"**{verdict(claim, its)}**",
                "cells": _in_words(its, claims.labels),
                "notebook": f"[{PurePath(notebook).stem}]({root}{notebook})",
            }
        )
    return pd.DataFrame(rows).to_markdown(index=False) + "\n"


def page(claims: Claims, cells: pd.DataFrame, root: str) -> str:
    """The summary, the rules, and of each claim the breakdown and every cell.

    Args: as for `summary`.
    """
    parts = ["# Verdicts on the claims", summary(claims, cells, root).rstrip()]
    parts.append("\n".join(f"- *{name}*: {meaning}" for name, meaning in claims.rules.items()))
    parts.append(
        "A ratio below 1 speaks for the claim: ▼ the whole interval is below 1, ▲ above it. Where "
        f"there are fewer than {FEWEST_PAIRS} pairs the rule *paired* can't decide."
    )
    for number, claim, its in _each(claims, cells):
        parts += _section(number, claim, its, claims.labels)
    return "\n\n".join(parts) + "\n"


def _each(claims: Claims, cells: pd.DataFrame) -> list[tuple[int, Claim, pd.DataFrame]]:
    return [(n, claim, cells[cells["claim"] == n]) for n, claim in claims.claims.items()]


def _section(number: int, claim: Claim, cells: pd.DataFrame, labels: dict[str, str]) -> list[str]:
    rules = " and ".join(dict.fromkeys(f"*{judged.rule}*" for judged in claim.judged_on))
    source = f"{claim.source}: {claim.note}" if claim.note else claim.source
    about = f"Source: {source}. Rule: {rules}. Target: `{claim.shown.target}`."
    title = f"## {number}. {claim.statement}"
    breakdown = _breakdown(cells, labels).to_markdown(index=False)
    return [title, about, breakdown, _readable(cells, labels).to_markdown(index=False)]


def _telling(cells: pd.DataFrame, columns: list[str]) -> list[str]:
    """Which of the columns tell cells apart."""
    return [name for name in columns if cells[name].nunique() > 1]


def _label(value: str, labels: dict[str, str]) -> str:
    return labels.get(value, value)


def _counted(cells: pd.DataFrame) -> pd.Series:
    return cells["verdict"].value_counts().reindex(CELL_VERDICTS, fill_value=0)


def _in_words(cells: pd.DataFrame, labels: dict[str, str]) -> str:
    """How many cells have which verdict, the range of the ratios, and how they are distributed."""
    counted = ", ".join(f"{count} {name}" for name, count in _counted(cells).items() if count)
    words = [f"{counted} of {len(cells)}", f"ratios {_range(cells)}"]
    for name in _telling(cells, SHORT):
        groups = {value: each for value, each in cells.groupby(name, sort=False) if value}
        if len(groups) <= 3:
            words += [
                f"{_label(value, labels)} {' / '.join(map(str, _counted(each)))}"
                for value, each in groups.items()
            ]
    few = int((cells["p"].notna() & (cells["pairs"] < FEWEST_PAIRS)).sum())
    if few:
        words.append(f"{few} of them with too few seeds to decide")
    return "; ".join(words)


def _range(cells: pd.DataFrame) -> str:
    low, high = f"{cells['ratio'].min():.3g}", f"{cells['ratio'].max():.3g}"
    return low if low == high else f"{low} to {high}"


def _breakdown(cells: pd.DataFrame, labels: dict[str, str]) -> pd.DataFrame:
    """How many cells have which verdict, for each value of what tells them apart."""
    groups = {("all", ""): cells}
    for name in _telling(cells, LONG):
        groups |= {(name, value): each for value, each in cells.groupby(name, sort=False)}
    return pd.DataFrame(
        {"by": name.replace("_", " "), "": _label(value, labels) or "–"}
        | _counted(each).to_dict()
        | {"ratios": _range(each)}
        for (name, value), each in groups.items()
    )


def _readable(cells: pd.DataFrame, labels: dict[str, str]) -> pd.DataFrame:
    """Every cell as text."""
    text = cells[_telling(cells, [*LONG, "baseline", "pairs"])].map(
        lambda value: _label(value, labels) if isinstance(value, str) else value
    )
    text.columns = text.columns.str.replace("_", " ")
    triples = zip(cells["ratio"], cells["low"], cells["high"], strict=True)
    text["ratio [95 %]"] = [marked_ratio(*triple) for triple in triples]
    if cells["p"].notna().any():
        text["p, Holm"] = cells["p_holm"].map("{:.2g}".format).where(cells["p"].notna(), "–")
    return text.assign(verdict=cells["verdict"])
