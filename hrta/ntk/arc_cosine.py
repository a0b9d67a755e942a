"""The infinite-width tangent kernel with an error of a few roundings in float64.

For two biased points with Gram entry G, norms |x| and |x'|, let sigma be the sign of G and alpha in
[0, pi/2] the angle between the lines through them (not the rays), so G = sigma |x||x'| cos alpha.
With p = (1 - s/2)^2 and q = (s/2)^2, sigma p + q is s^2/2 - s + 1 for sigma = 1 and s - 1 for
sigma = -1, without cancellation. The formulas

    outer:  |x||x'| [(sigma p + q) cos alpha + (2 q/pi) (sin alpha - alpha cos alpha)]
    inner:  |x||x'| cos alpha [(sigma p + q) - (2 q/pi) alpha]

are accurate for small alpha, that is for nearly parallel and nearly opposite points. With
beta = pi/2 - alpha, sin beta = |G|/(|x||x'|), the equivalent formulas

    outer:  sigma p |G| + (2 q/pi) (|x||x'| cos beta + |G| beta)
    inner:  |G| (sigma p + (2 q/pi) beta)

are accurate near a right angle.

Source: the arc-cosine kernels of Cho and Saul (2009), rewritten.
"""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from hrta.runtime.compilation import compiled_exactly

TILE = 128  # points; a tile and its mirror image fit the cache
# Below this ratio the plain dot product and the plain chord lose more than three digits.
SMALL = 2.0**-10
PARTS = {"total": (1.0, 1.0), "inner": (1.0, 0.0), "outer": (0.0, 1.0)}
# sin(t) - t cos(t) = t^3 sum_k (-1)^k (2k + 2) / (2k + 3)! t^(2k), the highest power first; the
# first omitted term is below 1e-20 for t <= pi/3.
BOW = tuple((-1) ** k * (2 * k + 2) / math.factorial(2 * k + 3) for k in range(9, -1, -1))
# arcsin(t) = t + t z P(z) / Q(z) with z = t^2, exact to rounding for t <= 1/2; highest power first.
# Source: fdlibm's e_asin.c (Sun Microsystems 1993).
ARCSINE_P = (
    *(3.47933107596021167570e-05, 7.91534994289814532176e-04, -4.00555345006794114027e-02),
    *(2.01212532134862925881e-01, -3.25565818622400915405e-01, 1.66666666666666657415e-01),
)
ARCSINE_Q = (
    *(7.70381505559019352791e-02, -6.88283971605453293030e-01),
    *(2.02094576023350569471e00, -2.40339491173441421878e00, 1.0),
)


def assemble(biased: np.ndarray, s: float, part: str, threads: int) -> np.ndarray:
    """The Gram matrix of biased points [n, D]: [n, n], exactly symmetric.

    Needs hardly any memory besides the result.
    """
    norms = np.linalg.norm(biased, axis=1)
    points = np.ascontiguousarray(biased.T)
    units = points / norms
    matrix = np.empty((len(biased), len(biased)))
    starts = range(0, len(biased), TILE)
    tiles = [(first, second) for first in starts for second in starts if second <= first]

    def fill(tile: tuple[int, int]) -> None:
        _fill_tile(points, units, norms, s, *PARTS[part], *tile, matrix)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, tiles))
    return matrix


@compiled_exactly
def _fill_tile(points, units, norms, s, inner, outer, first, second, matrix):
    """Fill the tile that begins at the pair (`first`, `second`), and its mirror image.

    The loops over the second point are written so that the compiler vectorises them.
    """
    last = min(second + TILE, points.shape[1])
    dots, halves = np.empty(last - second), np.empty(last - second)
    for i in range(first, min(first + TILE, points.shape[1])):
        others = points[:, second:last]
        products = norms[i] * norms[second:last]
        _dots(points[:, i], others, products, dots)
        _half_chords(
            points[:, i], others, units[:, i], units[:, second:last], products, dots, halves
        )
        row = matrix[i, second:last]
        for j in range(len(row)):
            row[j] = _entry(dots[j], halves[j], products[j], s, inner, outer)
    for i in range(first, min(first + TILE, points.shape[1])):
        for j in range(second, last):
            matrix[j, i] = matrix[i, j]


@compiled_exactly
def _dots(x, others, products, dots):
    """G of the point x with each of the others, [D, tile]."""
    dots[:] = 0
    for d in range(len(x)):
        for j in range(len(dots)):
            dots[j] += x[d] * others[d, j]
    for j in range(len(dots)):
        if abs(dots[j]) < SMALL * products[j]:
            dots[j] = _exact_dot(x, others[:, j])


@compiled_exactly
def _half_chords(x, others, unit, other_units, products, dots, halves):
    """sin(alpha / 2) of the point x with each of the others."""
    halves[:] = 0
    for d in range(len(x)):
        for j in range(len(halves)):
            sign = 1.0 if dots[j] >= 0 else -1.0
            chord = unit[d] - sign * other_units[d, j]
            halves[j] += chord * chord
    for j in range(len(halves)):
        halves[j] = math.sqrt(halves[j]) / 2
    for j in range(len(halves)):
        if dots[j] < 0 and halves[j] < SMALL:
            halves[j] = _half_chord(_exact_wedge(x, others[:, j]) / products[j])


@compiled_exactly
def _entry(dot, half, norms, s, inner, outer):
    """inner * K^w + outer * K^a for one pair; norms is the product |x||x'|."""
    size, sign = abs(dot), 1.0 if dot >= 0 else -1.0
    # q of the formulas above, times 2/pi
    p, q = (1 - s / 2) * (1 - s / 2), s * s / (2 * np.pi)
    wide = 2 * size < norms
    ratio = size / norms
    angle = _arcsine(ratio if wide else half)
    beta_form = inner * size * (sign * p + q * angle) + outer * (
        sign * p * size + q * (norms * math.sqrt((1 - ratio) * (1 + ratio)) + size * angle)
    )
    alpha, cosine = 2 * angle, 1 - 2 * half * half
    both = s - 1 if dot < 0 else 1 - s * (1 - s / 2)
    square = alpha * alpha
    bow = alpha * square * _polynomial(BOW, square)
    alpha_form = inner * cosine * (both - q * alpha) + outer * (both * cosine + q * bow)
    return beta_form if wide else norms * alpha_form


@compiled_exactly
def _arcsine(t):
    z = t * t
    return t + t * (z * _polynomial(ARCSINE_P, z) / _polynomial(ARCSINE_Q, z))


@compiled_exactly
def _polynomial(coefficients, z):
    total = 0.0
    for coefficient in coefficients:
        total = total * z + coefficient
    return total


@compiled_exactly
def _half_chord(sine):
    """sin(alpha / 2) from sin(alpha), for small alpha."""
    cosine = math.sqrt((1 - sine) * (1 + sine))
    return sine / math.sqrt(2 * (1 + cosine))


@compiled_exactly
def _exact_dot(x, z):
    """x . z as accurate as if computed in twice the precision.

    Source: Ogita, Rump and Oishi (2005), algorithm 5.3.
    """
    total, rest = 0.0, 0.0
    for j in range(len(x)):
        product, error = _two_product(x[j], z[j])
        total, lost = _two_sum(total, product)
        rest += lost + error
    return total + rest


@compiled_exactly
def _exact_wedge(x, z):
    """|x||z| sin(alpha) = sqrt(sum_(j < k) (x_j z_k - x_k z_j)^2), every difference exact."""
    total = 0.0
    for j in range(len(x)):
        for k in range(j):
            product, error = _two_product(x[j], z[k])
            minus, lost = _two_product(x[k], z[j])
            difference = (product - minus) + (error - lost)
            total += difference * difference
    return math.sqrt(total)


@compiled_exactly
def _two_sum(a, b):
    """a + b and its rounding error."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


@compiled_exactly
def _two_product(a, b):
    """a b and its rounding error (Dekker 1971)."""
    product = a * b
    scaled_a, scaled_b = 134217729.0 * a, 134217729.0 * b  # 2^27 + 1
    high_a, high_b = scaled_a - (scaled_a - a), scaled_b - (scaled_b - b)
    low_a, low_b = a - high_a, b - high_b
    rest = ((high_a * high_b - product) + high_a * low_b + low_a * high_b) + low_a * low_b
    return product, rest
