"""Tangent kernels on a GPU, in float64 torch."""

import numpy as np
import torch
from scipy.linalg import LinAlgError
from torch import Tensor

from hrta.ntk.matrices import gram, with_ones

# Pre-activations of one chunk of neurons: 256 MiB.
CHUNK = 2**25


class DeviceKernel:
    """K_2 = `gram(x, 2)` and the Cholesky factor of K_2 - shift, as `FactoredKernel`.

    The matrix is assembled on the CPU, where its entries are accurate to a few roundings.

    Args:
        x: points, [n, d].
        device: where the matrix is factorised.

    Attributes:
        biased: the biased points, [n, d + 1].
    """

    def __init__(self, x: np.ndarray, device: torch.device | str) -> None:
        self.biased = with_ones(x)
        self._kernel = torch.from_numpy(gram(x, 2.0)).to(device)
        self._factor: Tensor | None = None

    def multiply(self, v: np.ndarray) -> np.ndarray:
        """K_2 v, v [n]."""
        return (self._kernel @ torch.from_numpy(v).to(self._kernel)).cpu().numpy()

    def factorise(self, shift: float) -> None:
        """Compute the Cholesky factor of K_2 - shift.

        Raises:
            LinAlgError: K_2 - shift is not positive definite.
        """
        self._factor = None  # its memory is used again
        shifted = self._kernel.clone()
        shifted.diagonal().sub_(shift)
        self._factor, failed = torch.linalg.cholesky_ex(shifted)
        if failed:
            raise LinAlgError(f"K_2 - {shift:g} is not positive definite")

    def solve(self, v: np.ndarray) -> np.ndarray:
        """(K_2 - shift)^-1 v, v [n]."""
        column = torch.from_numpy(v).to(self._kernel)[:, None]
        assert self._factor is not None, "factorise must be called first"
        return torch.cholesky_solve(column, self._factor)[:, 0].cpu().numpy()


def sums_of_all_pairs(
    biased: np.ndarray, inner: Tensor, outer: Tensor
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The sums over neurons of `hrta.ntk.finite_width`, on the device of the weights.

    Args:
        biased: biased points, [n, D].
        inner, outer: weights, [D, m] and [m].

    Returns:
        sum_k relu(z_ik) relu(z_jk) [n, n], sum_k w_k relu(z_ik) [D, n] and
        sum_k a_k^2 P_ik P_jk [n, n], float64.
    """
    x = torch.from_numpy(biased).to(inner.device)
    points, dimension = x.shape
    values, path, slopes = (x.new_zeros(n, points) for n in (points, dimension, points))
    chunk = max(1, CHUNK // points)
    for weights, scale in zip(inner.split(chunk, dim=1), outer.split(chunk), strict=True):
        weights = weights.double()
        hidden = x @ weights
        slope = (hidden > 0) * scale.double()
        hidden.clamp_(min=0)
        values += hidden @ hidden.T
        path += weights @ hidden.T
        slopes += slope @ slope.T
    return values.cpu().numpy(), path.cpu().numpy(), slopes.cpu().numpy()
