"""The paired log ratios that claims are judged on, from the evidence.

Each function takes a table of evidence, an entry of a claim's `judged_on` and its key, for
messages. It returns a row for each cell and seed: the columns of `CLAIM_CELL` that apply, seed, and
log_ratio, which is missing where a number is missing or negative. A ratio below 1 supports the
claim.
"""

import re
from itertools import pairwise

import numpy as np
import pandas as pd

from hrta.study.analysis.comparison import log_difference, log_ratio, paired
from hrta.study.analysis.final import at_best_learning_rates
from hrta.study.analysis.schema import CLAIM_CELL
from hrta.study.config.claims import Bound, Evidence, Races, Runs, Spectra

OWN_BEST = "own best"


def of_runs(runs: pd.DataFrame, judged: Runs, where: str) -> pd.DataFrame:
    """Final measures of methods over those of a baseline."""
    runs = chosen(runs, "width", judged, "widths", where)
    runs = chosen(runs, "optimizer", judged, "optimizers", where)
    if judged.learning_rates == "own_best":
        runs = at_best_learning_rates(runs, judged.measures[0]).assign(learning_rate=OWN_BEST)
    elif judged.learning_rates == "lowest":
        rates = runs.groupby("optimizer")["learning_rate"]
        runs = runs[runs["learning_rate"] == rates.transform("min")]
    else:
        runs = chosen(runs, "learning_rate", judged, "learning_rates", where)
    # Claims name experiments as problems; two experiments may have the same function.
    ratios = _to_baseline(runs.assign(problem=runs["experiment"]), judged, where)
    return _between_widths(ratios, where) if judged.contrast == "width" else ratios


def of_races(runs: pd.DataFrame, judged: Races, where: str) -> pd.DataFrame:
    """Final measures of a race's paths over those of the baseline path."""
    runs = chosen(runs, "race", judged, "race", where)
    plain = f"_{judged.baseline}"
    names = runs["method"].unique()
    networks = [name.removesuffix(plain) for name in names if name.endswith(plain)]
    if not networks:
        raise ValueError(f"{where}.baseline: {judged.baseline!r} given; no method ends in {plain}")
    parts = runs["method"].str.extract(rf"^({'|'.join(map(re.escape, networks))})_(.+)$")
    runs = runs.assign(network=parts[0], method=parts[1], optimizer=judged.optimizer)
    runs = chosen(runs[parts[0].notna()], "width", judged, "widths", where)
    runs = chosen(runs, "network", judged, "networks", where)
    return _to_baseline(runs.assign(learning_rate=OWN_BEST), judged, where)


def of_spectra(spectra: pd.DataFrame, judged: Spectra, where: str) -> pd.DataFrame:
    """The rounding error over the smallest eigenvalue, or this over that at the next larger s."""
    spectra = spectra[spectra["kernel"] == judged.kernel].assign(problem=spectra["experiment"])
    spectra = chosen(spectra, "width", judged, "widths", where)
    spectra = chosen(spectra, "s", judged, "s", where)
    # K_0 is singular, of the rank of the inputs, and s = 2 is outside the range of the claims.
    spectra = spectra[(spectra["s"] > 0) & (spectra["s"] < 2)]
    matrix = spectra.groupby(["problem", "width", "seed", "s"], dropna=False)
    ends = matrix.agg(
        smallest=("eigenvalue", "min"), largest=("eigenvalue", "max"), last=("index", "max")
    ).reset_index()
    # The rounding error of eigenvalues. It is the numerator of a ratio; two eigenvalues that differ
    # by at most this error are a tie.
    ends["rounding"] = (ends["last"] + 1) * np.finfo(float).eps * ends["largest"]
    ends = ends.assign(method=ends["s"].map("s = {:g}".format), measure="λ_min")
    ends["width"] = ends["width"].map(as_text).where(ends["width"].notna(), judged.kernel)
    return _above_rounding(ends) if judged.contrast == "rounding" else _growth(ends)


def of_bound(rates: pd.DataFrame, judged: Bound, where: str) -> pd.DataFrame:
    """Loss over bound of each run: the largest if above 1, else that at the end of the stage."""
    rates = rates[rates["width"].notna()].assign(problem=rates["experiment"])
    rates = chosen(rates, "width", judged, "widths", where)
    rates = chosen(rates, "method", judged, "methods", where)
    # The first row of a stage is on the bound by construction.
    crossing = rates["excess"] > 1 + 1e-9
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log10(rates["excess"].where(crossing, rates["loss"] / rates["bound"]))
    ratio = ratio.mask(~crossing & (rates["loss"] == rates["bound"]), 0.0)
    measure = rates["stage"].map("loss in stage {}".format)
    return rates.assign(log_ratio=ratio, measure=measure, baseline="bound")


def chosen(
    table: pd.DataFrame, column: str, judged: Evidence, key: str, where: str
) -> pd.DataFrame:
    """The rows whose column has one of the values of the entry's key.

    The key's value is "all", "largest", or one or several names or numbers.

    Raises:
        ValueError: a name or a number that is not in the column, or no such column.
    """
    wanted = getattr(judged, key)
    if wanted == "all":
        return table
    if column not in table:
        raise ValueError(
            f"{where}.{key}: {wanted!r} given; the evidence has no {column}: write all"
        )
    if wanted == "largest":
        return table[table[column] == table[column].max()]
    wanted, known = np.atleast_1d(wanted).tolist(), sorted(table[column].dropna().unique())
    for value in wanted:
        if value not in known:
            allowed = ", ".join(map(as_text, known))
            raise ValueError(f"{where}.{key}: {value!r} given; the evidence has {allowed}")
    return table[table[column].isin(wanted)]


def as_text(value: object) -> str:
    """A name unchanged, a number in its shortest form, a missing value as empty text."""
    if isinstance(value, str):
        return value
    return "" if pd.isna(value) else f"{value:.15g}"


def cell_of(row: pd.Series) -> str:
    """The row's cell and seed as text, without empty columns."""
    texts = {name: as_text(row[name]) for name in (*CLAIM_CELL, "seed") if name in row}
    return ", ".join(f"{name} {text}" for name, text in texts.items() if text)


def _all_paired(
    rows: pd.DataFrame, baseline: pd.DataFrame, on: list[str], where: str
) -> pd.DataFrame:
    """As `paired`, but every row must have a partner."""
    pairs = paired(rows, baseline, on)
    if pairs["unpaired"].any():
        unpaired = cell_of(pairs[pairs["unpaired"]].iloc[0])
        raise ValueError(f"{where}: no run of the baseline for {unpaired}")
    return pairs.drop(columns="unpaired")


def _to_baseline(runs: pd.DataFrame, judged: Runs | Races, where: str) -> pd.DataFrame:
    """The log ratios of methods to the baseline with the same seed, for each measure."""
    rows = chosen(runs, "method", judged, "methods", where)
    baseline = chosen(runs, "method", judged, "baseline", where)
    # Problems on which the baseline was not run are not judged; a single missing run is an error.
    rows = rows[rows["problem"].isin(baseline["problem"])]
    on = [name for name in (*CLAIM_CELL[: CLAIM_CELL.index("method")], "seed") if name in runs]
    pairs = _all_paired(rows, baseline[[*on, *judged.measures]], on, where)
    tables = [
        pairs.assign(
            baseline=judged.baseline,
            measure=name,
            log_ratio=log_ratio(pairs[name], pairs[f"{name}_baseline"]),
        )
        for name in judged.measures
    ]
    return pd.concat(tables, ignore_index=True)


def _between_widths(ratios: pd.DataFrame, where: str) -> pd.DataFrame:
    """The log ratios at the largest width minus those at the smallest."""
    on = ["problem", "optimizer", "learning_rate", "method", "measure", "seed"]
    widths = ratios.groupby("problem")["width"]
    largest = ratios[ratios["width"] == widths.transform("max")]
    smallest = ratios[ratios["width"] == widths.transform("min")]
    pairs = _all_paired(largest, smallest[[*on, "width", "log_ratio"]], on, where)
    pairs = pairs[pairs["width"] > pairs["width_baseline"]]
    return pairs.assign(
        log_ratio=log_difference(pairs["log_ratio"], pairs["log_ratio_baseline"]),
        baseline=pairs["width_baseline"].map("width {}".format),
    )


def _above_rounding(ends: pd.DataFrame) -> pd.DataFrame:
    """The rounding error over the smallest eigenvalue: a tie within it, infinite if negative."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log10(ends["rounding"] / ends["smallest"].clip(lower=0))
    within = ends["smallest"].abs() <= ends["rounding"]
    return ends.assign(log_ratio=ratio.mask(within, 0.0), baseline="rounding")


def _growth(ends: pd.DataFrame) -> pd.DataFrame:
    """The smallest eigenvalue at an s over that at the next s: a tie within the rounding error.

    A negative eigenvalue counts as 0.
    """
    s = sorted(ends["s"].unique())
    on = ["problem", "width", "seed", "s"]
    lower = ends[[*on, "smallest", "method"]]
    lower = lower.assign(s=lower["s"].map(dict(pairwise(s))))
    pairs = ends.merge(lower, on=on, suffixes=("", "_lower"))
    within = (pairs["smallest"] - pairs["smallest_lower"]).abs() <= pairs["rounding"]
    ratio = log_ratio(pairs["smallest_lower"].clip(lower=0), pairs["smallest"].clip(lower=0))
    return pairs.assign(log_ratio=ratio.mask(within, 0.0), baseline=pairs["method_lower"])
