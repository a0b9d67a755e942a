"""The infinite-width Gram matrix from its formulas."""

import mpmath
import numpy as np


def closed_form(x, s, part):
    """The formulas of the paper, entry by entry, in 40 digits."""
    with mpmath.workdps(40):
        biased = [[mpmath.mpf(float(value)) for value in row] + [mpmath.mpf(1)] for row in x]
        norm = [mpmath.sqrt(sum(v * v for v in row)) for row in biased]
        result = np.zeros((len(x), len(x)))
        for i, u in enumerate(biased):
            for j, v in enumerate(biased):
                dot = sum(a * b for a, b in zip(u, v, strict=True))
                rho = mpmath.mpf(1) if i == j else dot / (norm[i] * norm[j])
                linear, absolute = (1 - mpmath.mpf(s) / 2) ** 2, (mpmath.mpf(s) / 2) ** 2
                twice = 2 / mpmath.pi
                inner = linear * dot + absolute * twice * dot * mpmath.asin(rho)
                bow = mpmath.sqrt(1 - rho**2) + rho * mpmath.asin(rho)
                outer = linear * dot + absolute * twice * norm[i] * norm[j] * bow
                parts = {"inner": inner, "outer": outer, "total": inner + outer}
                result[i, j] = float(parts[part])
    return result
