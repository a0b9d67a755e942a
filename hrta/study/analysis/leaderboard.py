"""The leaderboard of a race over all problems and widths."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from hrta.study.analysis.intervals import CONFIDENCE
from hrta.study.analysis.schema import PAIR, RACE_RUN

# Losses are clipped to this range. The lower limit is the loss of residuals of 5e-4 for targets of
# order one; a network that is zero everywhere has a loss below the upper limit.
LIMITS = (1e-7, 10.0)


def leaderboard(
    final: pd.DataFrame,
    times: pd.DataFrame,
    limits: tuple[float, float] = LIMITS,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Scores of each method over all pairs (problem, width), best first, with 95 % intervals.

    The intervals are percentiles of a bootstrap over seeds, where a seed is drawn with its runs of
    all methods on all problems. The problems are fixed: the intervals do not apply to others.

    Args:
        final: rows of `hrta.study.analysis.final.final_race_results`.
        times: rows of `hrta.study.analysis.races.times_to_targets`, of the same runs.
        limits: range to which losses are clipped before ratios of medians are taken.
        resamples: number of resamples of the bootstrap.
        seed: of the bootstrap; the same runs give the same intervals.

    Returns:
        One row for each method: method, pairs, seeds, diverged (number of runs) and, each also with
        _low and _high,
        rank: mean over pairs and seeds of the rank of the final loss, 1 the lowest, ties averaged;
        ratio: geometric mean over pairs of the median loss relative to the pair's best method;
        wins: number of pairs on which the method has the lowest median loss, and it is finite;
        reached_<target>: fraction of the pairs on which half of the seeds reach the target;
        test_rank: as rank, by test loss, over the pairs with a test set; missing if none has one;
        seconds: geometric mean over pairs of the median time, relative to the fastest method.

    Raises:
        ValueError: the methods differ in seeds or pairs, or a time is missing.

    Source: Efron and Tibshirani (1993), chapter 13.
    """
    final = final.sort_values(["method", *PAIR, "seed"])
    cubes = _cubes(final, times)
    _, pairs, seeds = cubes["loss"].shape
    draws = np.random.default_rng(seed).integers(seeds, size=(resamples, seeds))
    values = _scores(cubes, np.arange(seeds)[None], limits)
    spreads = _scores(cubes, draws, limits)
    table = pd.DataFrame({"method": final["method"].unique(), "pairs": pairs, "seeds": seeds})
    table["diverged"] = np.isinf(cubes["loss"]).sum(axis=(1, 2))
    tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    for name, value in values.items():
        table[name] = value[:, 0]
        table[f"{name}_low"], table[f"{name}_high"] = np.quantile(spreads[name], tails, axis=1)
    return table.sort_values("rank", kind="stable", ignore_index=True)


def leaderboards(
    final: pd.DataFrame, times: pd.DataFrame, groups: Mapping[str, str]
) -> pd.DataFrame:
    """A `leaderboard` for each group of methods, concatenated.

    Args:
        final, times: as for `leaderboard`.
        groups: the group of each method, in order.

    Returns:
        The rows of all leaderboards, with group as first column.
    """
    tables = []
    for group in dict.fromkeys(groups.values()):
        members = [method for method, its in groups.items() if its == group]
        parts = (table[table["method"].isin(members)] for table in (final, times))
        tables.append(leaderboard(*parts).assign(group=group))
    table = pd.concat(tables, ignore_index=True)
    return table[["group", *table.columns.drop("group")]]


def _cubes(final: pd.DataFrame, times: pd.DataFrame) -> dict[str, np.ndarray]:
    """Each quantity as an array [methods, pairs, seeds], in the order of `final`."""
    shape = (final["method"].nunique(), len(final[PAIR].drop_duplicates()), final["seed"].nunique())
    if len(final) != np.prod(shape) or final.duplicated(RACE_RUN).any():
        raise ValueError("leaderboard: not every method has the same seeds on the same pairs")
    columns = {name: final[name] for name in ("loss", "test_loss", "seconds")}
    easiest_first = times.sort_values("target", ascending=False)
    for target, of_target in easiest_first.groupby("target", sort=False):
        joined = final[RACE_RUN].merge(of_target, on=RACE_RUN, how="left")
        if len(joined) != len(final) or joined["time"].isna().any():
            raise ValueError(f"leaderboard: not every run has one time to the target {target:g}")
        columns[f"reached_{target:g}"] = np.isfinite(joined["time"])
    return {name: column.to_numpy(float).reshape(shape) for name, column in columns.items()}


def _scores(
    cubes: Mapping[str, np.ndarray], draws: np.ndarray, limits: tuple[float, float]
) -> dict[str, np.ndarray]:
    """The columns of `leaderboard`, [methods, k], from each draw of seeds, [k, seeds]."""
    medians = np.median(cubes["loss"][:, :, draws], axis=-1)
    lowest = medians.min(axis=0)
    reached = [name for name in cubes if name.startswith("reached")]
    tested = ~np.isnan(cubes["test_loss"]).any(axis=(0, 2))
    return {
        "rank": _mean_rank(cubes["loss"], draws),
        "ratio": _relative(np.clip(cubes["loss"], *limits), draws),
        "wins": ((medians == lowest) & np.isfinite(lowest)).sum(axis=1),
        **{name: (cubes[name][:, :, draws].mean(-1) >= 0.5).mean(axis=1) for name in reached},
        "test_rank": _mean_rank(cubes["test_loss"][:, tested], draws),
        "seconds": _relative(cubes["seconds"], draws),
    }


def _mean_rank(losses: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Mean over pairs and drawn seeds of the rank among the methods, [methods, k]."""
    from scipy.stats import rankdata

    if losses.size == 0:
        return np.full((len(losses), len(draws)), np.nan)
    return rankdata(losses, axis=0).mean(axis=1)[:, draws].mean(axis=-1)


def _relative(values: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Geometric mean over pairs of the median relative to the pair's best method, [methods, k].

    The best method is determined from all seeds; the best of each draw would raise all ratios.
    """
    from scipy.stats import gmean

    best = np.median(values, axis=-1).argmin(axis=0)
    medians = np.median(values[:, :, draws], axis=-1)
    return gmean(medians / np.take_along_axis(medians, best[None, :, None], axis=0), axis=1)
