"""The tangent kernel: Gram matrices, their eigenvalues, and linearised networks."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["eigenvalues", "extremes", "finite_width", "linearised", "momentum"],
    submod_attrs={
        "arc_cosine": ["PARTS"],
        "finite_width": ["empirical_gram"],
        "matrices": ["gram"],
    },
)
