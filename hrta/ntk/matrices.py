"""Tangent-kernel Gram matrices of two-layer homotopy networks at infinite width.

All arrays are float64. sigma_s(z) = (1 - s/2) z + (s/2) |z| splits every
infinite-width kernel into a linear and an absolute-value part, without cross terms.
"""

import warnings
from typing import Literal

import numpy as np

from hrta.ntk.arc_cosine import PARTS, assemble
from hrta.runtime.arguments import as_number, check_one_of, shown
from hrta.runtime.arrays import as_float64
from hrta.runtime.memory import need_memory
from hrta.runtime.processes import cores

Part = Literal["total", "inner", "outer"]


def gram(x: np.ndarray, s: float, part: Part = "total") -> np.ndarray:
    """Infinite-width tangent Gram matrix of a two-layer homotopy network.

    With G the Gram matrix of the biased points (x, 1) and theta the angles between them,

        outer:  (1 - s/2)^2 G + (s/2)^2 (2/pi) (|x_i||x_j| sin theta + G (pi/2 - theta))
        inner:  (1 - s/2)^2 G + (s/2)^2 (2/pi) G (pi/2 - theta)

    Every entry has an error of a few roundings, also for parallel, opposite and orthogonal points;
    see `hrta.ntk.arc_cosine`.

    Args:
        x: points, [n, d], without the bias column.
        s: homotopy parameter in [0, 2].
        part: "inner" (first-layer weights), "outer", or their sum "total".

    Returns:
        [n, n] float64, exactly symmetric, positive semi-definite up to rounding.

    Raises:
        ValueError: s outside [0, 2], an unknown part, or x not two-dimensional, not finite or so
            large that squares overflow.
        MemoryError: the matrix does not fit into memory; the message says how much it needs.

    Warns:
        UserWarning: some points are equal, so the matrix is singular.

    Source: arXiv 2309.15244; closed form of the expectations by Cho and Saul (2009).
    """
    s = check_parameter(s, part)
    biased = with_ones(x)
    need_memory(8 * len(biased) ** 2, f"tangent kernel: the Gram matrix of {len(biased)} points")
    repeated = len(biased) - len(np.unique(biased, axis=0))
    if repeated:
        warnings.warn(
            f"tangent kernel: {repeated} of the {len(biased)} points are repeated; the "
            "smallest eigenvalue is 0",
            stacklevel=2,
        )
    return assemble(biased, s, part, cores())


def with_ones(x: np.ndarray) -> np.ndarray:
    """The points [n, d] with a last column of ones.

    Raises:
        ValueError: x not two-dimensional, empty, not finite, or too large to be squared.
    """
    x = as_float64(x, "tangent kernel: x")
    if x.ndim != 2 or x.size == 0:
        raise ValueError(
            f"tangent kernel: x must be [n, d] with n, d >= 1; its shape is {list(x.shape)}"
        )
    if not np.isfinite(x).all():
        raise ValueError("tangent kernel: x must be finite")
    if np.abs(x).max() > 1e100:
        raise ValueError(
            "tangent kernel: absolute values of x must be at most 1e100; products would overflow"
        )
    return np.column_stack([x, np.ones(len(x))])


def check_parameter(s: float, part: str = "total") -> float:
    """s as a float.

    Raises:
        ValueError: s is not a number in [0, 2], or an unknown part.
    """
    if not 0 <= as_number(s) <= 2:
        raise ValueError(f"tangent kernel: s must be in [0, 2]; it is {shown(s)}")
    check_one_of(part, PARTS, "tangent kernel: part")
    return float(s)
