"""JAX trains the same networks: a process that answers each JSON line on stdin with one on stdout.

The step is what a good user of JAX would write: relu(x @ w) @ a, `jax.value_and_grad`, Adam over
the tree of parameters, `jax.lax.scan` over steps, the state donated, and `jax.vmap` over networks
where several are trained side by side. The gradient is also written by hand (`by_hand`), which
keeps the pattern of the activation instead of the activation itself and is sometimes faster.
`jax.lax.map` over networks takes the time of one network after another (`scan`), and unrolling the
scan gains nothing, so neither is here.

Runs in an environment of its own (requirements-jax.txt) and so imports nothing of ours.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


def loss(parameters, x, y):
    """1/(2n) sum_i (phi(x_i) - y_i)^2 of one network with ReLU."""
    inner, outer = parameters
    predicted = jax.nn.relu(x @ inner) @ outer / jnp.sqrt(outer.size)
    return jnp.mean((predicted - y) ** 2) / 2


def by_hand(parameters, x, y):
    """The loss and its gradient, from the pattern of active neurons alone."""
    inner, outer = parameters
    scale = outer.size**-0.5
    hidden = x @ inner
    active = hidden > 0
    residual = jnp.where(active, hidden, 0) @ outer * scale - y
    back = (x * (residual * scale / len(y))[:, None]).T @ active.astype(x.dtype)
    return jnp.mean(residual**2) / 2, (outer * back, jnp.sum(inner * back, axis=0))


GRADIENTS = {"autodiff": jax.value_and_grad(loss), "by hand": by_hand}


def adam_step(value_and_grad, learning_rate, x, y, state, _):
    """One step of one network; the state is parameters, both moments and the steps done."""
    parameters, first, second, done = state
    value, gradient = value_and_grad(parameters, x, y)
    done = done + 1
    first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradient)
    second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g**2, second, gradient)
    correction1, correction2 = 1 - BETA1**done, 1 - BETA2**done

    def updated(p, m, v):
        return p - learning_rate * (m / correction1) / (jnp.sqrt(v / correction2) + EPS)

    return (jax.tree.map(updated, parameters, first, second), first, second, done), value


class Training:
    """Networks in training, in the way that a request names.

    Args:
        data: the arrays x [n, D], y [n], inner [R, D, m], outer [R, m] and learning_rate.
        loop: scan, one network after another; vmap, all side by side; threads, one network to
            each thread of a pool.
        gradient: autodiff or by hand.
        runs: which networks.
        chunk: steps of one call of the compiled program.
    """

    def __init__(self, data, loop, gradient, runs, chunk) -> None:
        x, y = jnp.asarray(data["x"]), jnp.asarray(data["y"])
        step = partial(adam_step, GRADIENTS[gradient], float(data["learning_rate"]), x, y)

        def train(state):
            return jax.lax.scan(step, state, None, length=chunk)

        groups = [runs] if loop == "vmap" else runs
        self._states = [self._initial(data, group) for group in groups]
        self._program = jax.jit(jax.vmap(train) if loop == "vmap" else train, donate_argnums=0)
        self._threads = len(runs) if loop == "threads" else 1

    def _initial(self, data, runs):
        parameters = jnp.asarray(data["inner"][runs]), jnp.asarray(data["outer"][runs])
        zeros = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
        return parameters, *zeros, jnp.zeros(np.shape(runs), parameters[0].dtype)

    def advance(self, chunks: int) -> float:
        """So many calls of the program for each network; the first one's last loss."""

        def train(state):
            for _ in range(chunks):
                state, losses = self._program(state)
            return jax.block_until_ready((state, losses))

        with ThreadPoolExecutor(self._threads) as pool:
            states, losses = zip(*pool.map(train, self._states), strict=True)
        self._states = list(states)
        return float(losses[0].reshape(-1, losses[0].shape[-1])[0, -1])


def main() -> None:
    """Answer requests until the input ends."""
    # On a GPU products of float32 are otherwise rounded to TF32, which nobody else here does.
    jax.config.update("jax_default_matmul_precision", "highest")
    data, trainings = {}, {}
    for line in sys.stdin:
        request = json.loads(line)
        command, name = request.pop("command"), request.pop("name", None)
        answer = {}
        if command == "hello":
            answer = {"device": jax.default_backend(), "version": jax.__version__}
        elif command == "load":
            trainings.clear()
            data = dict(np.load(request["file"]))
            jax.config.update("jax_enable_x64", data["x"].dtype == np.float64)
        elif command == "start":
            trainings[name] = Training(data, **request)
        elif command == "advance":
            answer = {"loss": trainings[name].advance(request["chunks"])}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
