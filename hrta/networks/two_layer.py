"""An ensemble of two-layer networks and its initialisation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hrta.activations import homotopy
from hrta.networks.initialisation import check_initialisation
from hrta.runtime.arguments import as_flag, as_integer
from hrta.runtime.arrays import as_float64
from hrta.runtime.tensors import as_real_tensor


def with_bias(x: np.ndarray | Tensor, like: Tensor) -> Tensor:
    """The points x [n, d] with a last column of ones, [n, d + 1]; dtype and device of `like`."""
    x = as_real_tensor(x, "networks: x").to(like)
    return torch.cat([x, x.new_ones(len(x), 1)], dim=1)


@dataclass(frozen=True, eq=False)
class TwoLayer:
    """R networks phi_s(x) = (1/sqrt(m)) sum_k a_k sigma_s(w_k . (x, 1)) of width m.

    Attributes:
        inner: the inner weights w, [R, d + 1, m], the bias in the last row.
        outer: the outer weights a, [R, m].

    Weights that are not finite are those of a diverged run; they cannot be trained.

    Raises:
        ValueError: not real numbers, shapes that do not fit together, different dtypes or devices,
            or the meta device.
    """

    inner: Tensor
    outer: Tensor

    def __post_init__(self) -> None:
        for name in ("inner", "outer"):
            object.__setattr__(self, name, as_real_tensor(getattr(self, name), f"networks: {name}"))
        kind = {(weights.dtype, weights.device) for weights in (self.inner, self.outer)}
        if len(kind) > 1 or not self.inner.is_floating_point():
            raise ValueError(
                "networks: inner and outer must have one floating dtype and device; they have "
                f"{self.inner.dtype} on {self.inner.device}, {self.outer.dtype} on "
                f"{self.outer.device}"
            )
        runs, _, width = self.inner.shape if self.inner.ndim == 3 else (None, None, None)
        if runs is None or self.outer.shape != (runs, width) or self.inner.numel() == 0:
            raise ValueError(
                "networks: inner must be [R, d + 1, m] and outer [R, m], not empty; they are "
                f"{list(self.inner.shape)} and {list(self.outer.shape)}"
            )

    @classmethod
    def initialise(
        cls,
        seeds: Sequence[int],
        inputs: int,
        width: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        *,
        signs: bool = False,
    ) -> "TwoLayer":
        """One network per seed with independent N(0, 1) weights.

        A network depends on its seed alone. The weights are drawn in float64 on the CPU, then
        rounded and moved to the device, so every dtype and device starts from the same function.

        Args:
            seeds: one for each of the R networks; equal seeds give equal networks.
            inputs: d, without the bias.
            width: m.
            signs: replace the outer weights by their signs, 1 or -1.

        Raises:
            ValueError: no seed, a seed that is not a non-negative integer, inputs or width that
                are not positive integers, a dtype that is not floating, or a device that cannot be
                used.
            MemoryError: the weights do not fit into memory.

        Source: the NTK parameterisation; assumed for arXiv 2309.15244.
        """
        inputs = as_integer(inputs, "networks: inputs")
        width = as_integer(width, "networks: width")
        signs = as_flag(signs, "networks: signs")
        numbers = check_initialisation(seeds, (inputs + 2) * width, dtype, device)
        weights = torch.stack(
            [
                torch.randn(
                    inputs + 2,
                    width,
                    dtype=torch.float64,
                    generator=torch.Generator().manual_seed(seed),
                )
                for seed in numbers
            ]
        ).to(device=device, dtype=dtype)
        if signs:
            weights[:, -1].sign_()
        return cls(weights[:, :-1].contiguous(), weights[:, -1].contiguous())

    @property
    def runs(self) -> int:
        """R, the number of networks."""
        return self.inner.shape[0]

    @property
    def inputs(self) -> int:
        """d, the number of inputs without the bias."""
        return self.inner.shape[1] - 1

    @property
    def width(self) -> int:
        """m, the number of neurons."""
        return self.inner.shape[2]

    def predict(self, x: np.ndarray | Tensor, s: float | Sequence[float] | Tensor) -> Tensor:
        """phi_s at the points x [n, d], [R, n]; s is a number or one for each run, [R].

        Raises:
            ValueError: x is not [n, d], or s is neither a number in [0, 2] nor [R] of them.
        """
        biased = with_bias(x, self.inner) if np.ndim(x) == 2 else None
        values = as_float64(s, "networks: s")
        if (
            biased is None
            or biased.shape[1] != self.inputs + 1
            or values.shape not in ((), (self.runs,))
            or not ((values >= 0) & (values <= 2)).all()
        ):
            raise ValueError(
                f"networks: x must be [n, {self.inputs}] and s a number in [0, 2] or {self.runs} "
                "of them"
            )
        s = torch.as_tensor(s, dtype=self.inner.dtype, device=self.inner.device)
        hidden = homotopy(biased @ self.inner, s[:, None, None] if s.ndim else float(s))
        return (hidden @ self.outer[:, :, None]).squeeze(-1) / self.width**0.5

    def preserving(self, before: np.ndarray, after: np.ndarray) -> tuple["TwoLayer", np.ndarray]:
        """The same functions at another s: rescaled outer weights and a linear skip term.

        sigma_s(z) = (1 - s/2) z + (s/2) |z|. With outer weights a s / s' the absolute-value part at
        s' is that at s, and the linear parts differ by

            c . (x, 1),   c = (1 - s / s') (1/sqrt(m)) sum_k a_k w_k

        so phi_s(x; w, a) = phi_s'(x; w, a s / s') + c . (x, 1) for every x.

        Args:
            before: s of each run, [R].
            after: s' of each run, [R], above 0.

        Returns:
            The networks with the same inner and new outer weights, and c [R, d + 1] float64.

        Raises:
            ValueError: not [R] numbers in [0, 2]; or s' = 0, where sigma_s' has no absolute-value
                part.
        """
        before, after = as_float64(before, "networks: before"), as_float64(after, "networks: after")
        for name, s in (("before", before), ("after", after)):
            if s.shape != (self.runs,) or not ((s >= 0) & (s <= 2)).all():
                raise ValueError(f"networks: {name} must be {self.runs} numbers in [0, 2]")
        if not (after > 0).all():
            raise ValueError(
                "networks: s after a function-preserving switch must be above 0; it is "
                f"{after.min():g}"
            )
        ratio = torch.as_tensor(before / after, device=self.inner.device)[:, None]
        # Not a matrix product: its rounding may depend on the number of runs.
        linear = (self.inner.double() * self.outer.double()[:, None]).sum(-1)
        skip = (1 - ratio) * linear / self.width**0.5
        outer = (self.outer * ratio).to(self.outer.dtype)
        return TwoLayer(self.inner, outer), skip.cpu().numpy()
