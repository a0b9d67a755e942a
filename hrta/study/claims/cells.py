"""The paired log ratios that each claim is judged on, from the tables of the evidence.

All are such that a ratio below 1 speaks for the claim.
"""

import re
from itertools import pairwise

import numpy as np
import pandas as pd

from hrta.study.analysis.comparison import at_best_learning_rates
from hrta.study.config.claims import Bound, Evidence, Races, Runs, Spectra

# What tells the cells of a claim apart; what does not apply to a cell is empty.
CELL = [
    *("problem", "width", "optimizer", "learning_rate"),
    *("network", "method", "baseline", "measure"),
]
OWN_BEST = "own best"

# What a table must have beside its measures.
_OF_RUNS = ("experiment", "width", "optimizer", "learning_rate", "method", "seed")
COLUMNS = {
    "final_losses": _OF_RUNS,
    "poisson": _OF_RUNS,
    "races": ("race", "problem", "width", "method", "seed"),
    "spectra": ("experiment", "kernel", "width", "seed", "s", "index", "eigenvalue"),
    "theory_rates": ("experiment", "method", "width", "seed", "stage", "excess", "loss", "bound"),
}


def log_ratios(evidence: pd.DataFrame, judged: Evidence, where: str) -> pd.DataFrame:
    """What a claim is judged on, a row for each cell and seed.

    Args:
        evidence: the table that `judged` names.
        judged: what is to be judged.
        where: its key, for messages.

    Returns:
        Table of `CELL`, as text, and log_ratio. Two diverged runs, or two losses or eigenvalues
        that are 0, are a tie.

    Raises:
        ValueError: a name or a number that the evidence does not have, a run whose partner is
            missing, or nothing to compare.
    """
    named_by = "problem" if judged.table == "races" else "experiment"
    evidence = _chosen(evidence, named_by, judged, "problems", where)
    ratios = _OF[type(judged)](evidence, judged, where)
    if len(ratios) == 0:
        raise ValueError(f"{where}: the evidence has nothing to compare")
    texts = {name: ratios[name].map(_text) if name in ratios else "" for name in CELL}
    ratios = ratios.assign(**texts)
    missing = ratios[ratios["log_ratio"].isna()]
    if len(missing):
        names = _named(missing.iloc[0], [*CELL, "seed"])
        raise ValueError(f"{where}: a number is missing or negative: {names}")
    return ratios[[*CELL, "log_ratio"]]


def _chosen(
    table: pd.DataFrame, column: str, judged: Evidence, key: str, where: str
) -> pd.DataFrame:
    """The rows whose column has what the key asks for: all, the largest, or names and numbers."""
    wanted = getattr(judged, key)
    if wanted == "all":
        return table
    if wanted == "largest":
        return table[table[column] == table[column].max()]
    wanted, known = np.atleast_1d(wanted).tolist(), sorted(table[column].dropna().unique())
    for value in wanted:
        if value not in known:
            allowed = ", ".join(map(_text, known))
            raise ValueError(f"{where}.{key}: {value!r} given; the evidence has {allowed}")
    return table[table[column].isin(wanted)]


def _text(value: object) -> str:
    """Names as they are, numbers as short as they can be, nothing for what is missing."""
    if isinstance(value, str):
        return value
    return "" if pd.isna(value) else f"{value:.15g}"


def _named(row: pd.Series, columns: list[str]) -> str:
    """The row's columns with their values, those that it has."""
    texts = {name: _text(row[name]) for name in columns if name in row}
    return ", ".join(f"{name} {text}" for name, text in texts.items() if text)


def _difference(log: pd.Series, log_base: pd.Series) -> pd.Series:
    """Of two logarithms; a tie where they are equal, both infinite too."""
    return (log - log_base).mask(log == log_base, 0.0)


def _log_ratio(value: pd.Series, base: pd.Series) -> pd.Series:
    """log10(value / base); a tie where both are infinite or both 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return _difference(np.log10(value), np.log10(base))


def _paired(tried: pd.DataFrame, base: pd.DataFrame, same: list[str], where: str) -> pd.DataFrame:
    """Each row with that of `base` that has the same key, whose columns end in _base."""
    pairs = tried.merge(base, "left", on=same, suffixes=("", "_base"), indicator="partner")
    alone = pairs[pairs["partner"] == "left_only"]
    if len(alone):
        names = _named(alone.iloc[0], [*CELL, "seed"])
        raise ValueError(f"{where}: nothing to compare with for {names}")
    return pairs.drop(columns="partner")


def _check_measures(runs: pd.DataFrame, judged: Runs | Races, where: str) -> None:
    for measure in judged.measures:
        if measure not in runs:
            known = ", ".join(name for name in MEASURES if name in runs)
            raise ValueError(f"{where}.measures: {measure!r} given; the evidence has {known}")


def _against_baseline(runs: pd.DataFrame, judged: Runs | Races, where: str) -> pd.DataFrame:
    """The log ratios of methods to their baseline of the same seed, measure by measure."""
    tried = _chosen(runs, "method", judged, "methods", where)
    base = _chosen(runs, "method", judged, "baseline", where)
    # A problem that the baseline was never run on is not judged; a run of it that is missing is an
    # error.
    tried = tried[tried["problem"].isin(base["problem"])]
    same = [name for name in (*CELL[: CELL.index("method")], "seed") if name in runs]
    pairs = _paired(tried, base[[*same, *judged.measures]], same, where)
    pairs = pairs.assign(baseline=judged.baseline)
    tables = [
        pairs.assign(measure=name, log_ratio=_log_ratio(pairs[name], pairs[f"{name}_base"]))
        for name in judged.measures
    ]
    return pd.concat(tables, ignore_index=True)


def _of_runs(runs: pd.DataFrame, judged: Runs, where: str) -> pd.DataFrame:
    _check_measures(runs, judged, where)
    runs = _chosen(runs, "width", judged, "widths", where)
    runs = _chosen(runs, "optimizer", judged, "optimizers", where)
    if judged.learning_rates == "own_best":
        runs = at_best_learning_rates(runs, judged.measures[0]).assign(learning_rate=OWN_BEST)
    elif judged.learning_rates == "lowest":
        rates = runs.groupby("optimizer")["learning_rate"]
        runs = runs[runs["learning_rate"] == rates.transform("min")]
    else:
        runs = _chosen(runs, "learning_rate", judged, "learning_rates", where)
    # An experiment is a problem with its numbers; two may share the function.
    runs = runs.assign(problem=runs["experiment"])
    ratios = _against_baseline(runs, judged, where)
    return _between_widths(ratios, where) if judged.contrast == "width" else ratios


def _between_widths(ratios: pd.DataFrame, where: str) -> pd.DataFrame:
    """How the log ratios at the largest width differ from those at the smallest."""
    same = ["problem", "optimizer", "learning_rate", "method", "measure", "seed"]
    widths = ratios.groupby("problem")["width"]
    largest = ratios[ratios["width"] == widths.transform("max")]
    smallest = ratios[ratios["width"] == widths.transform("min")]
    pairs = _paired(largest, smallest[[*same, "width", "log_ratio"]], same, where)
    pairs = pairs[pairs["width"] > pairs["width_base"]]
    difference = _difference(pairs["log_ratio"], pairs["log_ratio_base"])
    return pairs.assign(log_ratio=difference, baseline=pairs["width_base"].map("width {}".format))


def _of_races(runs: pd.DataFrame, judged: Races, where: str) -> pd.DataFrame:
    _check_measures(runs, judged, where)
    runs = _chosen(runs, "race", judged, "race", where)
    plain = f"_{judged.baseline}"
    names = runs["method"].unique()
    networks = [name.removesuffix(plain) for name in names if name.endswith(plain)]
    if not networks:
        raise ValueError(f"{where}.baseline: {judged.baseline!r} given; no method ends in {plain}")
    parts = runs["method"].str.extract(rf"^({'|'.join(map(re.escape, networks))})_(.+)$")
    runs = runs.assign(network=parts[0], method=parts[1], optimizer=judged.optimizer)
    runs = _chosen(runs[parts[0].notna()], "width", judged, "widths", where)
    runs = _chosen(runs, "network", judged, "networks", where)
    return _against_baseline(runs.assign(learning_rate=OWN_BEST), judged, where)


def _of_spectra(spectra: pd.DataFrame, judged: Spectra, where: str) -> pd.DataFrame:
    spectra = spectra[spectra["kernel"] == judged.kernel].assign(problem=spectra["experiment"])
    spectra = _chosen(spectra, "width", judged, "widths", where)
    spectra = _chosen(spectra, "s", judged, "s", where)
    # K_0 has the rank of the inputs, and s = 2 is the end of the claims' range.
    spectra = spectra[(spectra["s"] > 0) & (spectra["s"] < 2)]
    matrix = spectra.groupby(["problem", "width", "seed", "s"], dropna=False)
    ends = matrix.agg(
        smallest=("eigenvalue", "min"), largest=("eigenvalue", "max"), last=("index", "max")
    ).reset_index()
    # What eigenvalues are uncertain by, as in hrta.study.experiments.spectra: there those within it
    # became 0, here it
    # is needed for the ratio to it, and because two that differ by no more are a tie.
    ends["rounding"] = (ends["last"] + 1) * np.finfo(float).eps * ends["largest"]
    ends = ends.assign(method=ends["s"].map("s = {:g}".format), measure="λ_min")
    ends["width"] = ends["width"].map(_text).where(ends["width"].notna(), judged.kernel)
    return _above_rounding(ends) if judged.contrast == "rounding" else _growth(ends)


def _above_rounding(ends: pd.DataFrame) -> pd.DataFrame:
    """Rounding over the smallest eigenvalue: a tie within it, infinite if it is negative."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log10(ends["rounding"] / ends["smallest"].clip(lower=0))
    within = ends["smallest"].abs() <= ends["rounding"]
    return ends.assign(log_ratio=ratio.mask(within, 0.0), baseline="rounding")


def _growth(ends: pd.DataFrame) -> pd.DataFrame:
    """The smallest eigenvalue at an s over that at the next s: a tie within rounding.

    One that is negative counts as 0.
    """
    s = sorted(ends["s"].unique())
    same = ["problem", "width", "seed"]
    lower = ends[[*same, "s", "smallest", "method"]]
    lower = lower.assign(s=lower["s"].map(dict(pairwise(s))))
    pairs = ends.merge(lower, on=[*same, "s"], suffixes=("", "_base"))
    within = (pairs["smallest"] - pairs["smallest_base"]).abs() <= pairs["rounding"]
    ratio = _log_ratio(pairs["smallest_base"].clip(lower=0), pairs["smallest"].clip(lower=0))
    return pairs.assign(log_ratio=ratio.mask(within, 0.0), baseline=pairs["method_base"])


def _of_bound(rates: pd.DataFrame, judged: Bound, where: str) -> pd.DataFrame:
    """Loss over bound of each run: at its largest if that is above 1, else at the stage's end."""
    rates = rates[rates["width"].notna()].assign(problem=rates["experiment"])
    rates = _chosen(rates, "width", judged, "widths", where)
    rates = _chosen(rates, "method", judged, "methods", where)
    # The first row of a stage touches the bound by construction.
    crossing = rates["excess"] > 1 + 1e-9
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log10(rates["excess"].where(crossing, rates["loss"] / rates["bound"]))
    ratio = ratio.mask(~crossing & (rates["loss"] == rates["bound"]), 0.0)
    measure = rates["stage"].map("loss in stage {}".format)
    return rates.assign(log_ratio=ratio, measure=measure, baseline="bound")


MEASURES = ("loss", "test_loss", "test_error", "l2_error", "h1_error", "gap")
_OF = {Runs: _of_runs, Races: _of_races, Spectra: _of_spectra, Bound: _of_bound}
