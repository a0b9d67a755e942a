"""The tangent kernel: Gram matrices, their eigenvalues, and linearised networks."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["eigenvalues", "linearised", "momentum"],
    submod_attrs={
        "arc_cosine": ["PARTS"],
        "matrices": ["empirical_gram", "gram"],
    },
)
