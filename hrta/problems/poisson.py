"""Poisson problems with Neumann boundary conditions, their exact solutions, and quadratures.

-Laplace u = f on [0, 1]^d, du/dn = 0, int u = 0: u is the unique minimiser over H^1 of

    E(phi) = 1/2 int |grad phi|^2 + 1/2 (int phi)^2 - int f phi,

and E(phi) = E(u) + 1/2 int |grad (phi - u)|^2 + 1/2 (int phi)^2.

Source: W. E and B. Yu, The Deep Ritz Method, arXiv 1710.00211; the problem of arXiv 2309.15244.
"""

from dataclasses import dataclass

import numpy as np

from hrta.runtime.arguments import TOO_LARGE, as_integer, check_one_of, shown
from hrta.runtime.memory import need_memory

Modes = tuple[tuple[int, ...], ...]

# The wave numbers k of u = sum_k prod_j cos(pi k_j x_j).
MODES: dict[str, Modes] = {
    "cosines": ((1, 0), (0, 1)),
    "product": ((2, 3),),
    "cosines3d": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}
QUADRATURES = ("grid", "monte_carlo")
# Minimal number of points for errors. Their H^1 error of a trained network is accurate to 0.2 % in
# two dimensions and to 4 % in three.
MEASURING_POINTS = 1600


@dataclass(frozen=True)
class PoissonProblem:
    """The problem whose solution is u(x) = sum_k prod_j cos(pi k_j x_j).

    Attributes:
        name: its name in results.
        modes: the wave numbers k, d integers each; distinct up to signs, and not 0.

    Raises:
        ValueError: no mode, equal modes, a mode 0, modes of different lengths, or wave numbers that
            are not integers.
    """

    name: str
    modes: Modes

    def __post_init__(self) -> None:
        if not _are_modes(self.modes):
            raise ValueError(
                f"problem {self.name}: modes must be several tuples of integers; they are "
                f"{shown(self.modes)}"
            )
        equal = len({tuple(map(abs, mode)) for mode in self.modes}) < len(self.modes)
        constant = not all(any(mode) for mode in self.modes)
        if not self.modes or equal or constant or len({len(mode) for mode in self.modes}) > 1:
            raise ValueError(
                f"problem {self.name}: modes must be distinct, not 0, and of one length; they are "
                f"{self.modes}"
            )

    @property
    def dimension(self) -> int:
        """d, the dimension of the domain."""
        return len(self.modes[0])

    @property
    def inputs(self) -> int:
        """d, under the name that regression problems use."""
        return self.dimension

    def solution(self, x: np.ndarray) -> np.ndarray:
        """u at the points x [..., d]; returns [...]."""
        return sum(np.cos(np.pi * np.array(mode) * x).prod(axis=-1) for mode in self.modes)

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """grad u at the points x [..., d]; returns [..., d]."""
        gradient = np.zeros_like(x)
        for mode in self.modes:
            waves = np.cos(np.pi * np.array(mode) * x)
            for j in np.flatnonzero(mode):
                others = np.delete(waves, j, axis=-1).prod(axis=-1)
                wave_number = np.pi * mode[j]
                gradient[..., j] -= wave_number * np.sin(wave_number * x[..., j]) * others
        return gradient

    def source(self, x: np.ndarray) -> np.ndarray:
        """f = -Laplace u at the points x [..., d]; returns [...]."""
        total = np.zeros(x.shape[:-1])
        for mode in self.modes:
            wave = np.full(x.shape[:-1], float(np.pi**2 * np.dot(mode, mode)))
            for j in np.flatnonzero(mode):
                wave = wave * np.cos(np.pi * mode[j] * x[..., j])
            total += wave
        return total

    def energy(self, x: np.ndarray) -> np.ndarray:
        """E(u), the integrals as means over the points x [..., n, d]; returns [...]."""
        u, slopes = self.solution(x), self.gradient(x)
        densities = (slopes**2).sum(axis=-1) / 2 - self.source(x) * u
        return densities.mean(axis=-1) + u.mean(axis=-1) ** 2 / 2

    @property
    def square(self) -> float:
        """int u^2: modes are orthogonal, and every cosine contributes a factor 1/2."""
        return sum(0.5 ** np.count_nonzero(mode) for mode in self.modes)

    @property
    def gradient_square(self) -> float:
        """int |grad u|^2 = int f u."""
        return sum(
            np.pi**2 * np.dot(mode, mode) * 0.5 ** np.count_nonzero(mode) for mode in self.modes
        )

    @property
    def minimum(self) -> float:
        """E(u) = -1/2 int |grad u|^2, the minimum of E."""
        return -self.gradient_square / 2


def _are_modes(modes: object) -> bool:
    """Whether these are tuples (or lists) of integers."""
    rows = modes if isinstance(modes, list | tuple) else [None]
    return all(isinstance(row, list | tuple) and all(map(_is_wave_number, row)) for row in rows)


def _is_wave_number(value: object) -> bool:
    return type(value) is int and abs(value) < TOO_LARGE


def make_problem(name: str) -> PoissonProblem:
    """The problem with this name.

    Raises:
        ValueError: an unknown name; the message lists the allowed ones.
    """
    check_one_of(name, MODES, "Poisson problem: name")
    return PoissonProblem(name, MODES[name])


def grid(points: int, dimension: int) -> np.ndarray:
    """Midpoints of the cells of a uniform grid on [0, 1]^d, [n, d]; all weights are 1/n.

    With k points a side the rule is exact for cos(pi j x) unless j is a multiple of 2k, and so for
    products of the solutions, sources and gradients here; a grid with the ends of [0, 1] is not.

    Raises:
        ValueError: points is not k^d for an integer k >= 1.
        MemoryError: the points do not fit into memory.
    """
    points = as_integer(points, "grid: points")
    dimension = as_integer(dimension, "grid: dimension")
    side = round(points ** (1 / dimension))
    if side**dimension != points:
        raise ValueError(
            f"grid: points must be k^{dimension} for an integer k >= 1; it is {points}"
        )
    need_memory(16 * points * dimension, f"grid: {points} points")
    return _tensor([(np.arange(side) + 0.5) / side] * dimension)


def monte_carlo(seed: int, first: int, last: int, points: int, dimension: int) -> np.ndarray:
    """Independent uniform points for the steps first .. last - 1, [last - first, n, d].

    The points of a step are a fixed section of the random sequence of the seed, so they depend on
    nothing but the seed and the step.

    Raises:
        ValueError: an argument that is not an integer, or out of its range.
        MemoryError: the points do not fit into memory.
    """
    seed, first = as_integer(seed, "points: seed", 0), as_integer(first, "points: first", 0)
    steps = as_integer(last - first, "points: last - first", 0)
    points, dimension = as_integer(points, "points"), as_integer(dimension, "points: dimension")
    need_memory(8 * steps * points * dimension, f"points: {points} for {steps} steps")
    size = points * dimension
    numbers = np.random.Generator(np.random.PCG64(seed).advance(first * size))
    return numbers.random((steps, points, dimension))


def gauss_legendre(points: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """A tensor grid of at least `points` Gauss-Legendre points on [0, 1]^d, [n, d]; weights [n].

    Accurate for smooth functions, and independent of the points of training.

    Raises:
        ValueError: points or dimension not a positive integer.
        MemoryError: the points do not fit into memory.
    """
    points = as_integer(points, "quadrature: points")
    dimension = as_integer(dimension, "quadrature: dimension")
    # The nodes of an axis are the eigenvalues of a matrix.
    size = max(16 * points * dimension, int(16 * points ** (2 / dimension)))
    need_memory(size, f"quadrature: {points} points")
    nodes, weights = np.polynomial.legendre.leggauss(int(np.ceil(points ** (1 / dimension) - 1e-9)))
    products = _tensor([weights / 2] * dimension).prod(axis=1)
    return _tensor([(nodes + 1) / 2] * dimension), products


def _tensor(axes: list[np.ndarray]) -> np.ndarray:
    """The Cartesian product of the axes, [n, d]."""
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
