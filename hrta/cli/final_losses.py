"""The final losses of a training as text, and the ratios of the methods to ReLU."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from hrta.study.analysis.comparison import compare
from hrta.study.analysis.final import at_best_learning_rates, final_losses
from hrta.study.analysis.schema import CELL, LOSSES
from hrta.study.analysis.tables import MISSING, parts_of, ratios_to
from hrta.study.claims.verdicts import FEWEST_PAIRS

Methods = Mapping[str, Sequence[float]]


def final_losses_as_text(runs: pd.DataFrame, methods: Methods) -> str:
    """The median final losses of each method, and their ratios to those of ReLU with intervals.

    With several learning rates a second table has each method at its own best one.

    Args:
        runs: rows of `TRAINING`.
        methods: the s of each stage; ReLU is the first with s = 1 throughout.
    """
    final = final_losses(runs)
    relu = next((name for name, s in methods.items() if set(s) == {1.0}), None)
    seeds, rates = final["seed"].nunique(), final["learning_rate"].unique()
    parts = [f"median final losses over {seeds} seeds", _cells(final, methods, relu)]
    if len(rates) > 1:
        best = at_best_learning_rates(final)
        parts += ["each method at its own best learning rate", _cells(best, methods, relu)]
    if len(methods) > 1:
        parts += _notes(relu, seeds, rates)
    return "\n".join(parts)


def _cells(final: pd.DataFrame, methods: Methods, relu: str | None) -> str:
    """The medians and ratios of each cell of `final_losses`, or of `at_best_learning_rates`."""
    by = [name for name in CELL if name == "method" or final[name].nunique() > 1]
    losses = [name for name in LOSSES if name in final]
    cells = final.groupby(by, observed=True, sort=False)
    shown = cells[losses].median()
    names = shown.index.get_level_values("method")
    shown.insert(0, "s", [str(methods[name]) for name in names])
    if "best_learning_rate" in final:
        shown.insert(1, "learning_rate", cells["best_learning_rate"].first())
    if relu is None or len(methods) == 1:
        return shown.to_string()
    compared = {loss: compare(final, relu, loss).set_index(by) for loss in losses}
    ratios = pd.DataFrame({loss: _ratios(each, relu) for loss, each in compared.items()})
    runs = compared["loss"].loc[shown.index]
    if runs["diverged"].any():
        shown["diverged"] = parts_of(runs["diverged"], runs["seeds"])
    return f"{shown.to_string()}\nratios to {relu}\n{ratios.loc[shown.index].to_string()}"


def _ratios(compared: pd.DataFrame, relu: str) -> pd.Series:
    """The ratio of each row, with its interval if there are enough pairs for one."""
    numbers = compared["ratio"].map("{:.3g}".format)
    ratios = pd.Series(ratios_to(compared.reset_index(), "method", relu), compared.index)
    shown = ratios.where(compared["seeds"] >= FEWEST_PAIRS, numbers)
    # The ratio of two infinite losses counts as 1.
    undefined = (compared["diverged"] == compared["seeds"]) & (compared["ratio"] == 1)
    return shown.mask(undefined, MISSING)


def _notes(relu: str | None, seeds: int, rates: Sequence[float]) -> Iterator[str]:
    if relu is None:
        yield "No ratios to ReLU: no method has s = 1 throughout; add one, say relu=1,1."
    elif seeds < FEWEST_PAIRS:
        yield (
            f"Ratios are medians over pairs of runs with the same seed. {seeds} pairs are too few "
            f"for a\n95 % interval, which needs {FEWEST_PAIRS} or more: --seeds."
        )
    else:
        yield (
            "Ratios are medians over pairs of runs with the same seed, with 95 % bootstrap "
            f"intervals:\n▼ all of it is below 1, better than {relu}; ▲ above 1, worse."
        )
    if len(rates) == 1:
        yield (
            f"All methods have learning rate {rates[0]:g}. Compare each at its own best: repeat "
            "--learning-rate."
        )
