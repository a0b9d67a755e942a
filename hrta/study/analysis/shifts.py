"""Whether one of two replications lies above the other, if chance alone decides which is larger.

Two processors may be exchanged, so that for each network the sign of the difference d of its two
results is that of a fair coin, whatever the distribution of |d|. Then, for D_i = sum of the
differences of the results that share the initial weights i,

    P(|sum D_i| >= x sqrt(sum D_i^2)) <= 2 exp(-x^2 / 2).

Source: Hoeffding (1963), Journal of the American Statistical Association 58, 13-30, theorem 2.
"""

import numpy as np
import pandas as pd

# Probability of any disagreement in a verification of two replications that differ by chance.
FALSE_ALARM = 0.005
# Level of the sign test: few cells have enough runs that diverged in only one of the two.
SIGN_LEVEL = 2e-3


def chance(level: float) -> float:
    """The x above which Hoeffding's bound on the probability is below the level."""
    return float(np.sqrt(2 * np.log(2 / level)))


def mean_shift(
    difference: np.ndarray,
    known: np.ndarray,
    group: np.ndarray,
    weights: np.ndarray,
    level: float,
    floor: float,
) -> np.ndarray:
    """The mean difference of each group in units of its tolerance; 0 for a single network.

    The tolerance is floor + `chance` sqrt(sum D_i^2) / n, for n numbers.

    Args:
        difference: fresh - reference, [n].
        known: which of them count, [n].
        group: the number of each one's group, [n].
        weights: the number of the initial weights of each, [n].
        level: probability of a false alarm, for each group.
        floor: tolerated mean difference.
    """
    numbers = pd.Series(np.where(known, difference, 0.0))
    sums = numbers.groupby([group, weights]).sum()
    networks = sums.groupby(level=0)
    count = pd.Series(known.astype(int)).groupby(group).sum().clip(lower=1)
    size = np.sqrt((sums**2).groupby(level=0).sum())
    allowed = floor + chance(level) * size / count
    units = ((networks.sum() / count).abs() / allowed).where(size > 0, 0.0)
    return units.where(networks.size() > 1, 0.0).to_numpy()


def sign_test(infinite: np.ndarray, group: np.ndarray) -> np.ndarray:
    """For each group log p of the sign test over log level; above 1 the test fails.

    Args:
        infinite: whether each run is infinite, or 0, in the reference and in the fresh run, [n, 2].
        group: the number of each one's group, [n].
    """
    from scipy import stats

    only = pd.DataFrame(infinite & ~infinite[:, ::-1]).groupby(group).sum().to_numpy()
    p = [stats.binomtest(int(a), int(a + b)).pvalue if a + b else 1.0 for a, b in only]
    return np.abs(np.log(p) / np.log(SIGN_LEVEL))
