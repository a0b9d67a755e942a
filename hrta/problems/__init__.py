"""Problems: points with targets or classes, and Poisson problems."""

from typing import TYPE_CHECKING

from hrta.runtime.imports import at_first_use

if TYPE_CHECKING:
    from hrta.problems import datasets, files, poisson, targets
    from hrta.problems.problem import Problem
else:
    __getattr__, __dir__ = at_first_use(
        __name__,
        {"datasets": [], "files": [], "poisson": [], "problem": ["Problem"], "targets": []},
    )

__all__ = ["Problem", "datasets", "files", "poisson", "targets"]
