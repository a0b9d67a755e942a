"""Final losses, and how methods compare, paired over seeds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

CELL = ["experiment", "optimizer", "width", "learning_rate", "method"]
CONFIDENCE = 0.95
RESAMPLES = 9999
INFINITE = 1e150  # stands for infinity where a median or a quantile is interpolated


def final_losses(results: pd.DataFrame, fraction: float = 0.02) -> pd.DataFrame:
    """The final loss of every run: the median over the logged rows of its last steps.

    A median, because Adam oscillates. A run that diverged has an infinite final loss.

    Args:
        results: rows as `hrta.study.experiments.ensembles.train_ensemble` makes them.
        fraction: which part of a run's steps is its end.

    Returns:
        Table of experiment, optimizer, width, learning_rate, method, seed, loss and, where there is
        one, test_loss.
    """
    run = [*CELL, "seed"]
    last = results.groupby(run, observed=True)["step"].transform("max")
    end = results[results["step"] >= (1 - fraction) * last]
    losses = [loss for loss in ("loss", "test_loss") if loss in results]
    end = end.fillna(dict.fromkeys(losses, np.inf))
    return end.groupby(run, observed=True)[losses].median().reset_index()


def at_learning_rates(results: pd.DataFrame, learning_rates: Mapping[str, float]) -> pd.DataFrame:
    """The rows with that learning rate for each optimizer."""
    wanted = results["optimizer"].map(learning_rates).astype(float)
    return results[results["learning_rate"] == wanted]


def at_best_learning_rates(final: pd.DataFrame, loss: str = "loss") -> pd.DataFrame:
    """For each method its own best learning rate: that of the lowest median loss over seeds.

    Args:
        final: rows as `final_losses` makes them.
        loss: column that decides.

    Returns:
        The rows with these learning rates, the column learning_rate missing and the column
        best_learning_rate saying which it was.
    """
    tuned = [name for name in CELL if name != "learning_rate"]
    medians = final.groupby(CELL, observed=True)[loss].median().reset_index()
    best = medians.sort_values(loss, kind="stable").groupby(tuned, observed=True).head(1)
    chosen = final.merge(best[CELL], on=CELL)
    return chosen.assign(best_learning_rate=chosen["learning_rate"], learning_rate=np.nan)


def quantiles_by_step(runs: pd.DataFrame, loss: str, levels: Sequence[float]) -> pd.DataFrame:
    """Quantiles over seeds at each step; missing where diverged runs reach into them.

    Returns:
        Table with a row for each step and a column for each level.
    """
    finite = runs[loss].fillna(INFINITE).clip(upper=INFINITE)
    table = finite.groupby(runs["step"]).quantile(list(levels)).unstack()
    return table.where(table < INFINITE / 1e6)


def median_interval(values: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """The median and its percentile-bootstrap interval at `CONFIDENCE`; infinities are allowed.

    Args:
        values: a sample, [k] without NaN. One value is its own interval.
        seed: of the resampling, so that the same values give the same interval.

    Source: Efron and Tibshirani (1993), chapter 13; scipy.stats.bootstrap.
    """
    values = np.clip(np.asarray(values, dtype=np.float64), -INFINITE, INFINITE)
    median = low = high = np.median(values)
    if np.ptp(values) > 0:
        low, high = bootstrap(
            (values,),
            np.median,
            confidence_level=CONFIDENCE,
            n_resamples=RESAMPLES,
            method="percentile",
            rng=np.random.default_rng(seed),
        ).confidence_interval
    # What lies between a finite value and INFINITE came from averaging the two.
    return tuple(
        float(bound) if abs(bound) < INFINITE / 1e6 else float(np.copysign(np.inf, bound))
        for bound in (median, low, high)
    )


def compare(final: pd.DataFrame, baseline: str, loss: str = "loss") -> pd.DataFrame:
    """Each method's median final loss and its ratio to the baseline's, paired over seeds.

    The ratio is 10 to the median over seeds of log10(loss of the method / loss of the baseline).

    Args:
        final: rows as `final_losses` makes them.
        baseline: name of the method to compare with.
        loss: column to compare, "loss" or "test_loss".

    Returns:
        One row for each experiment, optimizer, width, learning rate and method, in the order of
        `final`'s categories: seeds, diverged (how many of the runs), median, low, high, ratio,
        ratio_low, ratio_high and, if `final` has it, best_learning_rate.

    Raises:
        ValueError: the baseline is missing where another method is not.
    """
    key = [*(name for name in CELL if name != "method"), "seed"]
    base = final.loc[final["method"] == baseline, [*key, loss]]
    paired = final.merge(base, on=key, how="left", suffixes=("", "_baseline"))
    if len(paired) == 0 or paired[f"{loss}_baseline"].isna().any():
        raise ValueError(f"compare: the baseline {baseline!r} is not there for every run")
    with np.errstate(invalid="ignore", divide="ignore"):
        paired["log_ratio"] = np.log10(paired[loss]) - np.log10(paired[f"{loss}_baseline"])
    rows = []
    for cell, runs in paired.groupby(CELL, observed=True, dropna=False):
        median, low, high = median_interval(runs[loss].to_numpy())
        # A pair in which both diverged says nothing about which is better.
        log_ratio = runs["log_ratio"].fillna(0).to_numpy()
        ratio = np.power(10.0, median_interval(log_ratio))
        rows.append(
            dict(zip(CELL, cell, strict=True))
            | {"seeds": len(runs), "diverged": int(np.isinf(runs[loss]).sum())}
            | {"median": median, "low": low, "high": high}
            | dict(zip(("ratio", "ratio_low", "ratio_high"), ratio, strict=True))
            | {name: runs[name].iloc[0] for name in runs if name == "best_learning_rate"}
        )
    table = pd.DataFrame(rows)
    return table.astype({name: final[name].dtype for name in CELL})
