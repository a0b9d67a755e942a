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


def choices(
    races: pd.DataFrame,
    paths: Mapping[str, str] = PATHS,
    optimizers: Mapping[str, str] = OPTIMIZERS,
) -> pd.DataFrame:
    """For each path and optimizer: on how many problems it ended lower than ReLU, and the ratios.

    Both at their own best learning rate, paired by seed. A path ended lower (higher) if the whole
    95 % interval of the median ratio is below (above) 1.

    Args:
        races: evidence of the races, with the columns race, problem, width, method, seed, loss.
        paths: labels of the paths to show.
        optimizers: labels of the optimizers.

    Returns:
        A row for each path, a column for each optimizer.
    """
    final = races[races["race"] == RACE]
    baselines = {
        f"{path}_{optimizer}": f"{BASELINE}_{optimizer}"
        for optimizer in optimizers
        for path in paths
    }
    table = gains(final, baselines)
    rows = [
        {"path": label}
        | {
            name: _in_words(table[table["method"] == f"{path}_{optimizer}"])
            for optimizer, name in optimizers.items()
        }
        for path, label in paths.items()
    ]
    return pd.DataFrame(rows)


def _in_words(ratios: pd.DataFrame) -> str:
    lower = (ratios["ratio_high"] < 1).sum()
    higher = (ratios["ratio_low"] > 1).sum()
    least, most = ratios["ratio"].min(), ratios["ratio"].max()
    return f"{lower} lower, {higher} higher of {len(ratios)}; {least:.3g} to {most:.3g}"
