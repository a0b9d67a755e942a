"""The results of a race: times to targets, performance profiles, gains, tuning."""

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from hrta.study.analysis.comparison import compare
from hrta.study.analysis.final import race_measures
from hrta.study.analysis.intervals import median_interval
from hrta.study.analysis.schema import (
    CLOCKS,
    PAIR,
    PARAMETERS,
    RACE_CELL,
    RACE_RUN,
    RATIO,
    interval,
)


def rows_of(
    problems: Collection[str],
    widths: Collection[int] | None = None,
    methods: Collection[str] | None = None,
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A function that selects the rows of these problems, and of these widths and methods if given.

    For the argument `reduce` of `hrta.runtime.files.read_tables`.
    """
    wanted = {"problem": problems, "width": widths, "method": methods}

    def keep(runs: pd.DataFrame) -> pd.DataFrame:
        for column, values in wanted.items():
            if values is not None:
                runs = runs[runs[column].isin(list(values))]
        return runs

    return keep


def times_to_targets(runs: pd.DataFrame, targets: Sequence[float], clock: str) -> pd.DataFrame:
    """The cost of each run up to its first logged loss at or below each target, or infinity.

    Losses under another activation than that of the last stage do not count.

    Args:
        runs: rows of `RACE`.
        targets: training losses.
        clock: "evaluations" or "seconds".

    Returns:
        Table of problem, width, method, seed, target, time.

    Raises:
        ValueError: another clock.
    """
    if clock not in CLOCKS:
        raise ValueError(f"times_to_targets: clock {clock!r} must be one of {', '.join(CLOCKS)}")
    tables = []
    for target in targets:
        # Costs increase, so that the lowest is that of the first row.
        reached = (runs["loss"] <= target) & runs["answer"]
        times = runs.assign(time=runs[clock].where(reached, np.inf))
        first = times.groupby(RACE_RUN, observed=True)["time"].min().reset_index()
        tables.append(first.assign(target=target))
    return pd.concat(tables, ignore_index=True)[[*RACE_RUN, "target", "time"]]


def performance_profiles(times: pd.DataFrame) -> pd.DataFrame:
    """The fraction of pairs (problem, width) on which a method is within a factor of the fastest.

    rho(alpha) = fraction of the pairs with t / t_best <= alpha, where t is the time by which half
    of the method's seeds have reached the target, and t_best the least of any method. Pairs on
    which no method reaches the target are left out.

    Args:
        times: rows of `times_to_targets`.

    Returns:
        Table of target, method, ratio, share (rho), pairs (their number): for each method rho at
        ratio 1 and wherever it increases. The share is missing if no pair is left.

    Source: Dolan and Moré (2002), Mathematical Programming 91, 201-213.
    """
    runs = times.groupby(["target", *RACE_CELL], observed=True)["time"]
    # The lower of two middle values, finite if half of the seeds reach the target.
    medians = runs.quantile(0.5, interpolation="lower").reset_index()
    best = medians.groupby(["target", *PAIR], observed=True)["time"].transform("min")
    # If the initial losses are below the target, times are 0 and the ratio is 0 / 0.
    medians["ratio"] = (medians["time"] / best).mask(medians["time"] == best, 1.0)
    medians["left"] = np.isfinite(best)
    rows = []
    for (target, method), group in medians.groupby(["target", "method"], observed=True):
        of_target = medians[(medians["target"] == target) & medians["left"]]
        pairs = len(of_target[PAIR].drop_duplicates())
        ratios = np.sort(group.loc[group["left"], "ratio"])
        points = np.unique([1.0, *ratios[np.isfinite(ratios)]])
        within = np.searchsorted(ratios, points, side="right")
        shares = within / pairs if pairs else [np.nan]
        rows += [(target, method, *point, pairs) for point in zip(points, shares, strict=True)]
    profiles = pd.DataFrame(rows, columns=["target", "method", "ratio", "share", "pairs"])
    return profiles.astype({"method": times["method"].dtype})


def gains(final: pd.DataFrame, baselines: Mapping[str, str]) -> pd.DataFrame:
    """The final losses of methods relative to their baselines, as `compare`.

    Args:
        final: rows of `hrta.study.analysis.final.final_race_results`.
        baselines: the baseline of each method.

    Returns:
        One row for each method, problem and width: `RACE_CELL`, baseline, ratio, ratio_low,
        ratio_high, seeds.

    Raises:
        ValueError: a method without runs, or a run without a run of the baseline with the same
            seed.
    """
    if missing := set(baselines) - set(final["method"]):
        raise ValueError(f"gains: no runs of {', '.join(sorted(missing))}")
    tables = []
    for method, baseline in baselines.items():
        # Problems on which only the baseline was run are left out.
        both = final[final["method"].isin([method, baseline])]
        table = compare(both, baseline, cell=RACE_CELL)
        tables.append(table[table["method"] == method].assign(baseline=baseline))
    return pd.concat(tables, ignore_index=True)[[*RACE_CELL, "baseline", *RATIO, "seeds"]]


def gains_over_all(final: pd.DataFrame, method: str) -> pd.DataFrame:
    """`gains` of one method over every other method in the table."""
    others = [other for other in final["method"].unique() if other != method]
    return pd.concat([gains(final, {method: other}) for other in others], ignore_index=True)


def medians(final: pd.DataFrame) -> pd.DataFrame:
    """The final measures of each method over seeds, sorted by the loss on each pair.

    Args:
        final: rows of `hrta.study.analysis.final.final_race_results`.

    Returns:
        One row for each `RACE_CELL`: seeds, diverged (number of runs), evaluations and seconds
        (medians), and each measure (median, with _low and _high, its 95 % bootstrap interval),
        missing without a test set, or without classes.
    """
    rows = []
    for cell, runs in final.groupby(RACE_CELL, observed=True):
        row = dict(zip(RACE_CELL, cell, strict=True)) | {"seeds": len(runs)}
        row["diverged"] = int(np.isinf(runs["loss"]).sum())
        row |= {clock: runs[clock].median() for clock in CLOCKS}
        for name in race_measures(final):
            known = runs[name].notna().all()
            values = median_interval(runs[name].to_numpy()) if known else [np.nan] * 3
            row |= dict(zip(interval(name), values, strict=True))
        rows.append(row)
    return pd.DataFrame(rows).sort_values([*PAIR, "loss"], kind="stable", ignore_index=True)


def chosen(tuning: pd.DataFrame) -> pd.DataFrame:
    """The parameters chosen for each method, problem and width.

    Args:
        tuning: rows of `TUNING`.

    Returns:
        One row for each `RACE_CELL`: `PARAMETERS` (missing if a method does not have one) and edge:
        -1 if the learning rate, or the ridge, is the lowest of the grid, 1 if the highest, else 0.
    """
    best = tuning[tuning["chosen"]].groupby(RACE_CELL, observed=True).first().reset_index()
    decisive = tuning["learning_rate"].fillna(tuning["ridge"])
    grids = decisive.groupby(tuning["method"], observed=True).agg(["min", "max"])
    limits = grids.loc[best["method"].astype(str)].to_numpy()
    value = best["learning_rate"].fillna(best["ridge"]).to_numpy()
    edge = (value == limits[:, 1]).astype(int) - (value == limits[:, 0])
    return best[[*RACE_CELL, *PARAMETERS]].assign(edge=edge)


def sensitivity(tuning: pd.DataFrame) -> pd.DataFrame:
    """The final loss at each learning rate, with the best values of the other parameters.

    Args:
        tuning: rows of `TUNING`; those without a learning rate are left out.

    Returns:
        Table of problem, width, method, learning_rate, loss (median over seeds), low, high (the
        extremes of the seeds), of the candidate with the lowest median.
    """
    cell = [*RACE_CELL, "learning_rate"]
    tuned = tuning[tuning["learning_rate"].notna()].fillna({"loss": np.inf})
    candidates = tuned.groupby([*cell, "candidate"], observed=True)["loss"]
    losses = candidates.agg(loss="median", low="min", high="max").reset_index()
    best = losses.sort_values("loss", kind="stable").groupby(cell, observed=True).head(1)
    return best.sort_values(cell, ignore_index=True).drop(columns="candidate")
