"""What paths of s that anybody can take did for the final loss: the table of the guide."""

from collections.abc import Mapping

import pandas as pd

from hrta.study.analysis.races import gains

RACE, BASELINE = "schedules", "relu"
# Those that `hrta.convert` and `hrta.HomotopyScheduler` can do.
PATHS = {
    "relaxed": "s = 3/2 throughout",
    "stages2": "1 → 3/2, one switch",
    "continuous": "1 → 3/2, 500 stages",
    "to2_continuous": "1 → 2, 500 stages",
    "homotopy": "1/2 → 1, one switch",
}
OPTIMIZERS = {"adam": "Adam", "gradient_descent": "gradient descent"}


def guide_block(races: pd.DataFrame) -> str:
    """The table of `choices` and what it shows, for the guide.

    Args:
        races: evidence of the races, with the columns race, problem, width, method, seed, loss.
    """
    final = races[races["race"] == RACE]
    table = choices(final, PATHS, OPTIMIZERS)
    pairs, seeds = len(final[["problem", "width"]].drop_duplicates()), final["seed"].nunique()
    return (
        f"{table.to_markdown(index=False)}\n\n"
        f"*Final training loss relative to ReLU on {pairs} pairs of problem and width, paired over "
        f"{seeds} seeds, each method at its own best learning rate: the number of pairs on which "
        "it was lower (higher) by the whole 95 % interval of the median ratio, and the range of "
        "the median ratios.*\n"
    )


def choices(
    final: pd.DataFrame, paths: Mapping[str, str], optimizers: Mapping[str, str]
) -> pd.DataFrame:
    """How often each path ended lower and higher than ReLU, and the range of the ratios, in words.

    A path ended lower if the whole interval of the median ratio is below 1, higher if above.

    Args:
        final: one row for each run: problem, width, method, seed, loss.
        paths: labels of the paths to show.
        optimizers: labels of the optimizers.

    Returns:
        A row for each path, a column for each optimizer.
    """
    columns: dict[str, list[str]] = {"path": list(paths.values())}
    for optimizer, label in optimizers.items():
        table = gains(final, {f"{path}_{optimizer}": f"{BASELINE}_{optimizer}" for path in paths})
        columns[label] = [
            _in_words(table[table["method"] == f"{path}_{optimizer}"]) for path in paths
        ]
    return pd.DataFrame(columns)


def _in_words(ratios: pd.DataFrame) -> str:
    lower, higher = (ratios["ratio_high"] < 1).sum(), (ratios["ratio_low"] > 1).sum()
    least, most = ratios["ratio"].min(), ratios["ratio"].max()
    return f"{lower} lower, {higher} higher; {least:.2g} to {most:.2g}"
