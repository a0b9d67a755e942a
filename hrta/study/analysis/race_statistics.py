"""How methods compare in a race: times to targets, profiles, gains, learning rates."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hrta.study.analysis.comparison import compare, median_interval
from hrta.study.analysis.race_results import CELL, CLOCKS, PAIR, RUN, measures


def times_to_targets(runs: pd.DataFrame, targets: Sequence[float], clock: str) -> pd.DataFrame:
    """What the clock shows at a run's first logged row at or below each target; inf if at none.

    Rows of an earlier stage, under another activation than the method's last, do not count.

    Args:
        runs: rows as `ends` takes them.
        targets: training losses.
        clock: "evaluations" or "seconds".

    Returns:
        Table of problem, width, method, seed, target, time.

    Raises:
        ValueError: another clock.
    """
    if clock not in CLOCKS:
        raise ValueError(f"times_to_targets: clock {clock!r} is none of {', '.join(CLOCKS)}")
    tables = []
    for target in targets:
        # The clock never runs backwards: its least value is the first.
        there = (runs["loss"] <= target) & runs["answer"]
        reached = runs.assign(time=runs[clock].where(there, np.inf))
        first = reached.groupby(RUN, observed=True)["time"].min().reset_index()
        tables.append(first.assign(target=target))
    return pd.concat(tables, ignore_index=True)[[*RUN, "target", "time"]]


def performance_profiles(times: pd.DataFrame) -> pd.DataFrame:
    """On which share of the pairs (problem, width) a method is within a factor of the fastest.

    rho(alpha) = share of the pairs with t / t_best <= alpha, t being the time by which half of the
    method's seeds are at the target, t_best the least of any method. A pair on which no method
    gets there is left out.

    Args:
        times: rows as `times_to_targets` makes them.

    Returns:
        Table of target, method, ratio, share, pairs (how many are left): for each method rho at
        ratio 1 and wherever it rises. The share is missing where no pair is left.

    Source: Dolan and Moré (2002), Mathematical Programming 91, 201-213.
    """
    runs = times.groupby(["target", *CELL], observed=True)["time"]
    # The lower of two middle values: finite as soon as half of the seeds are there.
    medians = runs.quantile(0.5, interpolation="lower").reset_index()
    best = medians.groupby(["target", *PAIR], observed=True)["time"].transform("min")
    # Where the start is at the target already, equal times are 0 / 0.
    medians["ratio"] = (medians["time"] / best).mask(medians["time"] == best, 1.0)
    medians["left"] = np.isfinite(best)
    rows = []
    for (target, method), here in medians.groupby(["target", "method"], observed=True):
        of_target = medians[(medians["target"] == target) & medians["left"]]
        pairs = len(of_target[PAIR].drop_duplicates())
        ratios = np.sort(here.loc[here["left"], "ratio"])
        points = np.unique([1.0, *ratios[np.isfinite(ratios)]])
        within = np.searchsorted(ratios, points, side="right")
        shares = within / pairs if pairs else [np.nan]
        rows += [(target, method, *point, pairs) for point in zip(points, shares, strict=True)]
    profiles = pd.DataFrame(rows, columns=["target", "method", "ratio", "share", "pairs"])
    return profiles.astype({"method": times["method"].dtype})


def gains(final: pd.DataFrame, pairs: Mapping[str, str]) -> pd.DataFrame:
    """The final loss of methods relative to their baselines', paired over seeds.

    Args:
        final: rows as `ends` makes them.
        pairs: the baseline of each method.

    Returns:
        One row for each method, problem and width: problem, width, method, baseline, ratio,
        ratio_low, ratio_high, seeds, the ratios as `hrta.study.analysis.comparison.compare` takes
        them.

    Raises:
        ValueError: a method is not there, or its baseline is missing for one of its runs.
    """
    if missing := set(pairs) - set(final["method"]):
        raise ValueError(f"gains: no run of {', '.join(sorted(missing))}")
    runs = final.assign(experiment=final["problem"], optimizer="", learning_rate=0.0)
    tables = []
    for method, baseline in pairs.items():
        # Where only the baseline was run there is nothing to compare.
        both = compare(runs[runs["method"].isin([method, baseline])], baseline)
        tables.append(both[both["method"] == method].assign(baseline=baseline))
    table = pd.concat(tables, ignore_index=True).rename(columns={"experiment": "problem"})
    return table[[*CELL, "baseline", "ratio", "ratio_low", "ratio_high", "seeds"]]


def against_all(final: pd.DataFrame, method: str) -> pd.DataFrame:
    """`gains` of one method against every other that there is."""
    others = [other for other in final["method"].unique() if other != method]
    return pd.concat([gains(final, {method: other}) for other in others], ignore_index=True)


def finals(final: pd.DataFrame) -> pd.DataFrame:
    """The final losses of each method over seeds, the lowest first on each pair.

    Args:
        final: rows as `ends` makes them.

    Returns:
        One row for each problem, width and method: problem, width, method, seeds, diverged (how
        many runs), evaluations and seconds (medians), and loss, test_loss and, where there are
        classes, test_error (medians), each also with _low and _high, its 95 % bootstrap interval;
        missing without a test set, or without classes.
    """
    rows = []
    for cell, runs in final.groupby(CELL, observed=True):
        row = dict(zip(CELL, cell, strict=True)) | {"seeds": len(runs)}
        row["diverged"] = int(np.isinf(runs["loss"]).sum())
        row |= {clock: runs[clock].median() for clock in CLOCKS}
        for name in measures(final):
            known = runs[name].notna().all()
            interval = median_interval(runs[name].to_numpy()) if known else [np.nan] * 3
            names = (name, f"{name}_low", f"{name}_high")
            row |= dict(zip(names, interval, strict=True))
        rows.append(row)
    return pd.DataFrame(rows).sort_values([*PAIR, "loss"], kind="stable", ignore_index=True)


def chosen(tuning: pd.DataFrame) -> pd.DataFrame:
    """The parameters that each method was given for each problem and width.

    Returns:
        One row for each problem, width and method: problem, width, method, learning_rate,
        momentum, ridge, history_size, recovery (missing where a method has none), and edge: -1 if
        the learning rate, or the ridge, is the lowest of the grid, 1 if the highest, else 0.
    """
    best = tuning[tuning["chosen"]].groupby(CELL, observed=True).first().reset_index()
    decisive = tuning["learning_rate"].fillna(tuning["ridge"])
    grids = decisive.groupby(tuning["method"], observed=True).agg(["min", "max"])
    limits = grids.loc[best["method"].astype(str)].to_numpy()
    value = best["learning_rate"].fillna(best["ridge"]).to_numpy()
    edge = (value == limits[:, 1]).astype(int) - (value == limits[:, 0])
    parameters = ["learning_rate", "momentum", "ridge", "history_size", "recovery"]
    return best[[*CELL, *parameters]].assign(edge=edge)


def sensitivity(tuning: pd.DataFrame) -> pd.DataFrame:
    """The final loss at each learning rate, at the best of the other parameters.

    Args:
        tuning: rows of problem, width, method, candidate, learning_rate, seed, loss; those without
            a learning rate are left out.

    Returns:
        Table of problem, width, method, learning_rate, loss (median over seeds), low, high (the
        extremes of the seeds), of the candidate with the lowest median.
    """
    cell = [*CELL, "learning_rate"]
    tuned = tuning[tuning["learning_rate"].notna()].fillna({"loss": np.inf})
    candidates = tuned.groupby([*cell, "candidate"], observed=True)["loss"]
    losses = candidates.agg(loss="median", low="min", high="max").reset_index()
    best = losses.sort_values("loss", kind="stable").groupby(cell, observed=True).head(1)
    return best.sort_values(cell, ignore_index=True).drop(columns="candidate")
