"""The CUDA engine's kernels: a Triton program trains one network, all steps in a single launch.

With z_ik = sum_j x_ij w_jk and sigma_s'(z) = (1 - s) + s 1[z > 0],

    phi_i   = 1/sqrt(m) sum_k a_k sigma_s'(z_ik) z_ik
    B_jk    = 1/(n sqrt(m)) sum_i r_i x_ij sigma_s'(z_ik),    r = phi - y
    dR/dw_jk = a_k B_jk,      dR/da_k = sum_j w_jk B_jk

Nothing of size n m is stored. Instead z is computed twice, in the forward pass with the points and
in the backward pass with the neurons along the threads of a warp, so that the sum over neurons and
that over points hardly leave a thread. Matrix units would round the weights and gain little: D is
small.

The weights lie in global memory, [D + 1, m] for each network with the outer ones in the last row,
and stay in the caches from step to step. Threads see what others wrote there only behind a barrier;
so there is one after the residual is written, one after each block's weights are read, before they
are overwritten, and one after the update. The optimizer's state needs none: what a thread reads of
it, it wrote itself.
"""

import triton
import triton.language as tl

LANES = tl.constexpr(32)


@triton.jit
def _loss(
    x,
    y,
    points,
    residual,
    weights,
    width,
    slope,
    scale: tl.constexpr,
    inputs: tl.constexpr,
    tile_points: tl.constexpr,
    tile_neurons: tl.constexpr,
):
    """R_s of one network on the points x [n, D], y [n]; phi - y goes to residual [n], if any.

    A tile has the points in its first and last axis, the neurons in between: with 32 points in the
    last, each thread has tile_points / 32 of them, and each warp a part of the neurons.
    """
    kind = weights.dtype.element_ty
    lane = tl.arange(0, LANES)[None, None, :]
    point = tl.arange(0, tile_points // LANES)[:, None, None] * LANES + lane
    neuron = tl.arange(0, tile_neurons)[None, :, None]
    squares = tl.zeros([tile_points // LANES, 1, LANES], kind)
    for first_point in range(0, points, tile_points):
        i = first_point + point
        outputs = tl.zeros([tile_points // LANES, tile_neurons, LANES], kind)
        for first_neuron in range(0, width, tile_neurons):
            k = first_neuron + neuron
            z = tl.zeros([tile_points // LANES, tile_neurons, LANES], kind)
            for j in range(inputs):
                x_j = tl.load(x + i * inputs + j, mask=i < points, other=0)
                z += x_j * tl.load(weights + j * width + k, mask=k < width, other=0)
            outer = tl.load(weights + inputs * width + k, mask=k < width, other=0)
            outputs += outer * tl.where(z > 0, z, slope * z)
        phi = scale * tl.sum(outputs, axis=1, keep_dims=True)
        difference = phi - tl.load(y + i, mask=i < points, other=0)
        if residual is not None:
            tl.store(residual + i, difference, mask=i < points)
        squares += tl.where(i < points, difference * difference, 0)
    return tl.sum(squares) / (2 * points)


@triton.jit
def _slopes_and_residuals(
    x,
    points,
    residual,
    inner,
    slope,
    j,
    inputs: tl.constexpr,
):
    """sum_i r_i x_ij sigma_s'(z_ik) for inner weights [D padded, K]; j [D padded] counts inputs."""
    sums = tl.zeros_like(inner)
    for i in tl.range(0, points, loop_unroll_factor=4):
        x_i = tl.load(x + i * inputs + j, mask=j < inputs, other=0)
        z = tl.sum(x_i[:, None] * inner, axis=0)
        rho = tl.load(residual + i) * x_i
        sums += rho[:, None] * tl.where(z > 0, 1, slope)[None, :]
    return sums


@triton.jit
def _update(
    weights,
    state,
    size,
    at,
    mask,
    values,
    gradient,
    rate,
    correction,
    optimizer: tl.constexpr,
    momentum: tl.constexpr,
    beta1: tl.constexpr,
    beta2: tl.constexpr,
    eps: tl.constexpr,
):
    """Move the weights at some places from their values, as in `hrta.optimizers`.

    The state [state size, D + 1, m] has what belongs to them at the same places of each `size`.
    For Adam, rate is the learning rate over the correction of the first moment, and correction
    that of the second.
    """
    if optimizer == "gradient_descent":
        change = -rate * gradient
    elif optimizer == "heavy_ball":
        change = momentum * tl.load(state + at, mask=mask) - rate * gradient
        tl.store(state + at, change, mask=mask)
    elif optimizer == "nesterov":
        descent = -rate * gradient
        lead = momentum * (tl.load(state + at, mask=mask) + descent)
        tl.store(state + at, lead, mask=mask)
        change = descent + lead
    else:
        first = beta1 * tl.load(state + at, mask=mask) + (1 - beta1) * gradient
        second = tl.load(state + size + at, mask=mask)
        second = beta2 * second + (1 - beta2) * (gradient * gradient)
        tl.store(state + at, first, mask=mask)
        tl.store(state + size + at, second, mask=mask)
        change = -rate * first / (tl.sqrt(second / correction) + eps)
    tl.store(weights + at, values + change, mask=mask)


@triton.jit(do_not_specialize=["points", "test_points", "width", "steps", "first_step", "logged"])
def advance(
    x,
    y,
    points,
    test_x,
    test_y,
    test_points,
    residual,
    weights,
    state,
    corrections,
    diverged,
    s,
    learning_rate,
    factors,
    rows,
    losses,
    steps,
    first_step,
    logged,
    width,
    scale: tl.constexpr,
    inputs: tl.constexpr,
    padded_inputs: tl.constexpr,
    optimizer: tl.constexpr,
    state_size: tl.constexpr,
    momentum: tl.constexpr,
    beta1: tl.constexpr,
    beta2: tl.constexpr,
    eps: tl.constexpr,
    tile_points: tl.constexpr,
    tile_neurons: tl.constexpr,
    block_neurons: tl.constexpr,
):
    """T updates of each network."""
    kind = weights.dtype.element_ty
    run = tl.program_id(0).to(tl.int64)
    size = (inputs + 1) * width
    weights += run * size
    state += run * state_size * size
    residual += run * points
    losses += run * 2 * logged
    slope = 1 - tl.load(s + run)
    first_rate = tl.load(learning_rate + run)
    correction1 = tl.load(corrections + 2 * run)
    correction2 = tl.load(corrections + 2 * run + 1)
    well = tl.load(diverged + run) < 0
    j = tl.arange(0, padded_inputs)
    neuron = tl.arange(0, block_neurons)
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
                        test_x, test_y, test_points, None, weights, width, slope, scale, inputs, tile_points, tile_neurons
                    )
                    tl.store(losses + logged + row, test_loss)
                tl.debug_barrier()
                correction1 = beta1 * correction1 + (1 - beta1)
                correction2 = beta2 * correction2 + (1 - beta2)
                rate = first_rate * tl.load(factors + step)
                if optimizer == "adam":
                    rate = rate / correction1
                rate = rate.to(kind)
                for first in range(0, width, block_neurons):
                    k = first + neuron
                    at = j[:, None] * width + k[None, :]
                    mask = (j[:, None] < inputs) & (k[None, :] < width)
                    outer_at = inputs * width + k
                    inner = tl.load(weights + at, mask=mask, other=0)
                    outer = tl.load(weights + outer_at, mask=k < width, other=0)
                    back = _slopes_and_residuals(x, points, residual, inner, slope, j, inputs)
                    back *= scale / points
                    tl.debug_barrier()
                    _update(weights, state, size, at, mask, inner, outer[None, :] * back, rate, correction2.to(kind), optimizer, momentum, beta1, beta2, eps)
                    _update(weights, state, size, outer_at, k < width, outer, tl.sum(inner * back, axis=0), rate, correction2.to(kind), optimizer, momentum, beta1, beta2, eps)
                tl.debug_barrier()
            else:
                tl.store(diverged + run, first_step + step)
    tl.store(corrections + 2 * run, correction1)
    tl.store(corrections + 2 * run + 1, correction2)
