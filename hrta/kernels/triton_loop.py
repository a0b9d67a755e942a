"""The CUDA engine's loop over steps: a Triton program trains a network, all steps in one launch.

With z_ik = sum_j x_ij w_jk, sigma_s'(z) = (1 - s) + s 1[z > 0] and r = phi - y,

    phi_i    = 1/sqrt(m) sum_k a_k sigma_s'(z_ik) z_ik
    B_jk     = 1/(n sqrt(m)) sum_i r_i x_ij sigma_s'(z_ik)
    dR/dw_jk = a_k B_jk,      dR/da_k = sum_j w_jk B_jk

Nothing of size n m is kept. Rather z is computed twice: in the forward pass with the points along
a warp, in the backward pass with the neurons, so that the sums over neurons and over points hardly
leave a thread. All of it is plain float32 or float64; tensor cores would round the weights.

The weights of a network are [D + 1, m] in global memory, the outer ones in the last row, and stay
in the caches from step to step. What a thread reads there, another may have written, and only a
barrier between the two makes it visible. There is one after the residual is written, one before
the weights of a block are overwritten, that all threads have read by then, and one after the
update. The optimizer's state needs no more: an element is overwritten with what came of it alone.
"""

import triton
import triton.language as tl

from hrta.optimizers import Adam

LANES = tl.constexpr(32)


@triton.jit(do_not_specialize=["points", "test_points", "width", "logged", "steps", "first_step"])
def advance(
    x,
    y,
    points,
    test_x,
    test_y,
    test_points,
    weights,
    width,
    state,
    corrections,
    residual,
    diverged,
    s,
    learning_rate,
    factors,
    rows,
    losses,
    logged,
    steps,
    first_step,
    scale: tl.constexpr,
    inputs: tl.constexpr,
    optimizer: tl.constexpr,
    momentum: tl.constexpr,
    state_size: tl.constexpr,
    tile_points: tl.constexpr,
    tile_neurons: tl.constexpr,
    block_inputs: tl.constexpr,
    block_neurons: tl.constexpr,
    beta1: tl.constexpr = Adam.beta1,
    beta2: tl.constexpr = Adam.beta2,
):
    """T updates of each network that is well.

    Args:
        x, y, points: x [n, D], y [n] and n; so for the test points, of which there may be none.
        weights, width: [R, D + 1, m], moved, and m.
        state: of the optimizer, [R, state size, D + 1, m], moved.
        corrections: of Adam's two moments, 1 - beta^t, [R, 2] float64, moved.
        residual: working memory, [R, n].
        diverged: the step at which a loss was not finite, or -1, [R]; written where it is found.
        s: [R], in the dtype of the weights.
        learning_rate, factors: [R] and [T] float64; a step's learning rate is their product.
        rows: where the losses of each step go, or -1 if they are not wanted, [T].
        losses, logged: loss and test loss, [R, 2, logged] float64; written while a run is well.
        steps, first_step: T, and the updates made before.
        scale, inputs: 1/sqrt(m) and D.
        state_size: how many numbers the optimizer keeps for each weight.
        tile_points, tile_neurons: of the forward pass; points are a multiple of 32.
        block_inputs, block_neurons: of the backward pass; the inputs are at least D.
    """
    run = tl.program_id(0).to(tl.int64)
    size = (inputs + 1) * width
    weights += run * size
    state += run * state_size * size
    residual += run * points
    losses += run * 2 * logged
    corrections += run * 2
    slope = 1 - tl.load(s + run)
    initial_rate = tl.load(learning_rate + run)
    correction1 = tl.load(corrections)
    correction2 = tl.load(corrections + 1)
    well = tl.load(diverged + run) < 0
    for step in range(steps):
        if well:
            loss = _loss(
                x, y, points, residual, weights, width, slope, scale, inputs, tile_points, tile_neurons
            )
            well = tl.abs(loss) < float("inf")
            if well:
                row = tl.load(rows + step)
                if row >= 0:
                    tl.store(losses + row, loss)
                    test_loss = _loss(
                        test_x,
                        test_y,
                        test_points,
                        None,
                        weights,
                        width,
                        slope,
                        scale,
                        inputs,
                        tile_points,
                        tile_neurons,
                    )
                    tl.store(losses + logged + row, test_loss)
                correction1 = beta1 * correction1 + (1 - beta1)
                correction2 = beta2 * correction2 + (1 - beta2)
                rate = initial_rate * tl.load(factors + step)
                if optimizer == "adam":
                    rate /= correction1
                tl.debug_barrier()
                _descend()
                tl.debug_barrier()
            else:
                tl.store(diverged + run, first_step + step)
    tl.store(corrections, correction1)
    tl.store(corrections + 1, correction2)
