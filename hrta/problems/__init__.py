"""Problems: points with targets or classes, and Poisson problems."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["datasets", "files", "poisson", "targets"],
    submod_attrs={
        "problem": ["Problem"],
    },
)
