import numpy as np
import pandas as pd

from hrta.study.analysis.choices import choices, guide_block


def runs(losses):
    """Twelve seeds of each method on two pairs, their losses spread by a factor of 2."""
    rows = [
        (problem, 50, method, seed, loss * 2 ** (seed / 12))
        for method, by_problem in losses.items()
        for problem, loss in zip(("a", "b"), by_problem, strict=True)
        for seed in range(12)
    ]
    return pd.DataFrame(rows, columns=["problem", "width", "method", "seed", "loss"])


def test_a_path_is_lower_or_higher_if_all_of_the_interval_is():
    final = runs({"relu_adam": (1, 1), "low_adam": (0.25, 3), "same_adam": (1, np.inf)})
    table = choices(final, {"low": "a path", "same": "another"}, {"adam": "Adam"})
    assert table.to_dict("list") == {
        "path": ["a path", "another"],
        "Adam": ["1 lower, 1 higher; 0.25 to 3", "0 lower, 1 higher; 1 to inf"],
    }


def test_the_block_says_what_is_compared():
    names = ("relu", "relaxed", "stages2", "continuous", "to2_continuous", "homotopy")
    methods = {f"{name}_{o}": (1, 1) for name in names for o in ("adam", "gradient_descent")}
    final = runs(methods).assign(race="schedules")
    others = final.assign(race="race", seed=final["seed"] + 100, problem="c")
    block = guide_block(pd.concat([final, others]))
    assert "| s = 3/2 throughout  | 0 lower, 0 higher; 1 to 1 |" in block
    assert "on 2 pairs of problem and width, paired over 12 seeds" in block
