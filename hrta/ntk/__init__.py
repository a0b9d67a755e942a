"""The tangent kernel: Gram matrices, their eigenvalues, and linearised networks."""

from typing import TYPE_CHECKING

from hrta.runtime.imports import at_first_use, require

require("hrta.ntk", "numba", "psutil", "scipy")

if TYPE_CHECKING:
    from hrta.ntk import eigenvalues, extremes, finite_width, linearised, momentum
    from hrta.ntk.arc_cosine import PARTS
    from hrta.ntk.finite_width import empirical_gram
    from hrta.ntk.matrices import gram
else:
    __getattr__, __dir__ = at_first_use(
        __name__,
        {
            "arc_cosine": ["PARTS"],
            "eigenvalues": [],
            "extremes": [],
            "finite_width": ["empirical_gram"],
            "linearised": [],
            "matrices": ["gram"],
            "momentum": [],
        },
    )

__all__ = [
    "PARTS",
    "eigenvalues",
    "empirical_gram",
    "extremes",
    "finite_width",
    "gram",
    "linearised",
    "momentum",
]
