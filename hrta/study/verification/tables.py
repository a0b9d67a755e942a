"""Checks of the tables of one run, and the tables of two runs side by side."""

import re
from collections.abc import Mapping

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from hrta.study.claims.kinds import KINDS, Kind

# The columns of the kinds' keys that have names.
WORDS = {
    *("experiment", "problem", "method", "optimizer", "race", "kernel", "variant"),
    *("file", "set", "coordinate"),
}


def expected_kinds(configuration: Mapping[str, object]) -> list[str]:
    """The kinds of evidence that a run with this configuration has.

    Args:
        configuration: values by their dotted paths.
    """
    return [
        name
        for name, kind in KINDS.items()
        if any(re.match(_below(kind), path) for path in configuration)
    ]


def _below(kind: Kind) -> str:
    """A regular expression for paths below the section of a kind."""
    if not kind.section:
        return ""
    # The results of a race are in a folder with its name.
    parts = {"{race}": f"({'|'.join(kind.results)})", "*": "[^.]+", "{experiment}": "[^.]+"}
    return r"\.".join(parts.get(part, part) for part in kind.section.split(".")) + r"\."


def check_table(name: str, table: pd.DataFrame, configuration: Mapping[str, object]) -> None:
    """Check the columns, the keys and the number of seeds of a table of evidence.

    Raises:
        ValueError: a column that is missing or has text instead of numbers, two rows with the same
            key, or a cell with more or fewer seeds than the configuration says.
    """
    kind = KINDS[name]
    for column in (*kind.key, *kind.rules):
        if column not in table:
            if column in kind.key:
                raise ValueError(f"no column {column!r}")
            continue
        numeric = is_numeric_dtype(table[column]) and not is_bool_dtype(table[column])
        if numeric == (column in WORDS):
            wanted, found = ("names", "numbers") if numeric else ("numbers", "something else")
            raise ValueError(f"the column {column!r} must have {wanted}; it has {found}")
    twice = table.duplicated(list(kind.key))
    if twice.any():
        first = named(table.loc[twice, list(kind.key)].iloc[0])
        raise ValueError(f"{twice.sum()} rows have the key of another, the first {first}")
    if kind.seeds is not None:
        _check_seeds(kind, table[table["seed"].notna()], configuration)


def _check_seeds(kind: Kind, table: pd.DataFrame, configuration: Mapping[str, object]) -> None:
    counts = table.groupby(list(kind.cell), dropna=False).size().rename("count").reset_index()
    columns = [name for name in kind.cell if f"{{{name}}}" in kind.section]
    for names, cells in counts.groupby(columns) if columns else [((), counts)]:
        wanted = _seeds(kind, dict(zip(columns, names, strict=True)), configuration)
        wrong = cells[cells["count"] != wanted]
        if len(wrong):
            raise ValueError(
                f"{wrong['count'].iloc[0]} seeds instead of the {wanted} of the configuration: "
                f"{named(wrong.iloc[0][list(kind.cell)])}"
            )


def _seeds(kind: Kind, names: Mapping[str, str], configuration: Mapping[str, object]) -> object:
    """The number of seeds in a section, according to the configuration.

    The name of an experiment may have more parts than that of its section has.
    """
    section = kind.section.format_map(names)
    while True:
        path = re.escape(f"{section}.{kind.seeds}".lstrip(".")).replace(r"\*", "[^.]+")
        for name, value in configuration.items():
            if re.fullmatch(path, name):
                return value
        if "_" not in section.rpartition(".")[2]:
            raise ValueError(f"the configuration has no number of seeds for {section}")
        section = section.rpartition("_")[0]


def named(row: pd.Series) -> str:
    """The columns of a row that are not missing, with their values."""
    return ", ".join(f"{name} {value}" for name, value in row.items() if pd.notna(value))


def side_by_side(kind: str, reference: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    """Both tables merged by key; the names of the fresh columns end in *.

    Raises:
        ValueError: rows or columns that only one of the tables has, two rows with the same key, or
            a column without a rule.
    """
    key = list(KINDS[kind].key)
    if unpaired := sorted(set(reference) ^ set(fresh)):
        raise ValueError(
            f"verification: {kind}: only one of the two has the column {', '.join(unpaired)}"
        )
    # Whether a candidate was chosen is compared by `tuned`.
    if unknown := sorted(set(reference) - {*key, *KINDS[kind].rules, "chosen"}):
        raise ValueError(f"verification: no rule for {kind}.{unknown[0]}")
    for table, whose in ((reference, "reference"), (fresh, "fresh run")):
        if table.duplicated(key).any():
            raise ValueError(f"verification: {kind}: two rows of the {whose} have the same key")
    both = reference.merge(
        fresh, on=key, how="outer", suffixes=("", "*"), indicator=True, validate="one_to_one"
    )
    for side, whose in (("left_only", "reference"), ("right_only", "fresh run")):
        unmatched = both.loc[both["_merge"] == side, key]
        if len(unmatched):
            raise ValueError(
                f"verification: {kind}: {len(unmatched)} rows are only in the {whose}, the first "
                f"{named(unmatched.iloc[0])}"
            )
    return both.drop(columns="_merge")


def part_of(
    reference: Mapping[str, pd.DataFrame], fresh: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """The rows of the reference that a replication of some of the items has, too."""
    return {
        kind: reference[kind].merge(table[list(KINDS[kind].key)], validate="one_to_one")
        for kind, table in fresh.items()
        if kind in reference
    }
