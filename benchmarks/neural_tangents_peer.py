"""The kernel of a two-layer ReLU network by google/neural-tangents, timed on request.

Runs in an environment of its own. Each line on standard input is a number of points; the answer is
the seconds that one assembly took, and the sum of the matrix.
"""

import sys
import time
import types

import jax
import numpy as np

# Its experimental part alone needs tensorflow, which is not installed for it.
for name in ("tf2jax", "neural_tangents.experimental"):
    sys.modules[name] = types.ModuleType(name)

from neural_tangents import stax  # noqa: E402


def main() -> None:
    """Answer until standard input ends."""
    jax.config.update("jax_enable_x64", True)
    network = stax.serial(
        stax.Dense(1, W_std=1, b_std=1, parameterization="ntk"),
        stax.Relu(),
        stax.Dense(1, W_std=1, b_std=None, parameterization="ntk"),
    )
    # Its ntk parameterisation divides by the number of inputs, so they are scaled up before.
    kernel = jax.jit(lambda x: network[2](x * x.shape[1] ** 0.5, None, "ntk"))
    for line in sys.stdin:
        points = np.load(line.strip())
        kernel(points).block_until_ready()
        started = time.perf_counter()
        matrix = kernel(points).block_until_ready()
        print(time.perf_counter() - started, float(matrix.sum()), flush=True)


if __name__ == "__main__":
    main()
