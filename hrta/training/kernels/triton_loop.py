"""The loop over steps of the triton engine: one program trains one network in one launch.

With z_ik = sum_j x_ij w_jk, sigma_s'(z) = (1 - s) + s 1[z > 0] and r = phi - y,

    phi_i    = 1/sqrt(m) sum_k a_k sigma_s'(z_ik) z_ik
    B_jk     = 1/(n sqrt(m)) sum_i r_i x_ij sigma_s'(z_ik)
    dR/dw_jk = a_k B_jk,      dR/da_k = sum_j w_jk B_jk

No array of size n m is stored. Instead z is computed twice, in the forward pass with the points
along a warp and in the backward pass with the neurons, so that nearly all sums are within a thread.
The arithmetic is float32 or float64 without tensor cores, which would round the weights.

The weights of a network are [D + 1, m] in global memory, the outer weights in the last row, and
remain in the caches from step to step. A barrier is needed between a write and a read by different
threads: one is after the residual is written, one is after all threads have read the weights of a
block and before they are overwritten, and one is after the update. The state of the optimizer needs
no barrier, because each element depends only on its own previous value.
"""

from typing import NamedTuple

import triton
import triton.language as tl
from torch import Tensor

LANES = tl.constexpr(32)


class Data(NamedTuple):
    """Points x [n, D], targets y [R, n] and n; the loss on no points is NaN."""

    x: Tensor
    y: Tensor
    points: int


class Tiles(NamedTuple):
    """Tile sizes; powers of two.

    Attributes:
        points, neurons: points (at least 32) and neurons of a tile in the forward pass.
        inputs, block: inputs (at least D) and neurons of a tile in the backward pass.
        warps: number of warps of a program.
    """

    points: int
    neurons: int
    inputs: int
    block: int
    warps: int


class Plan(NamedTuple):
    """The constants of the compiled kernels.

    Attributes:
        width, inputs: m and D.
        optimizer, momentum: as in `Task`.
        state_size: number of state variables of the optimizer for each weight.
        beta1, beta2, eps: constants of Adam.
        fixed_outer: whether the outer weights are fixed.
        batch_size: number of points of an update; 0 for all.
        tiles: tile sizes.
    """

    width: int
    inputs: int
    optimizer: str
    momentum: float
    state_size: int
    beta1: float
    beta2: float
    eps: float
    fixed_outer: bool
    batch_size: int
    tiles: Tiles


@triton.jit(do_not_specialize=["logged", "steps", "first_step"])
def advance(
    data,
    test,
    weights,
    state,
    corrections,
    residual,
    diverged,
    s,
    learning_rate,
    factors,
    batches,
    rows,
    losses,
    logged,
    steps,
    first_step,
    plan: tl.constexpr,
):
    """T updates of each network that has not diverged.

    With minibatches the loss of all points is computed at logged steps only, so that a run whose
    other points diverge first is found there.

    Args:
        data, test: training and test points; test may have no points.
        weights: [R, D + 1, m], updated.
        state: state of the optimizer, [R, state size, D + 1, m], updated.
        corrections: of Adam's two moments, 1 - beta^t, [R, 2] float64, updated.
        residual: working memory, [R, number of points of an update].
        diverged: the step at which the loss was non-finite, or -1, [R]; updated.
        s: [R], in the dtype of the weights.
        learning_rate, factors: [R] and [T] float64; the learning rate of a step is their product.
        batches: the points of each update, [R, T, batch size]; None for all points.
        rows: the row of the losses of each step, or -1 for a step that is not logged, [T].
        losses, logged: loss and test loss, [R, 2, logged] float64; written until a run diverges.
        steps, first_step: T, and the number of updates made before.
        plan: the constants.
    """
    run = tl.program_id(0).to(tl.int64)
    size = (plan.inputs + 1) * plan.width
    weights += run * size
    state += run * plan.state_size * size
    corrections += run * 2
    count = plan.batch_size if plan.batch_size > 0 else data.points
    residual += run * count
    y = data.y + run * data.points
    test_y = test.y + run * test.points
    losses += run * 2 * logged
    slope = 1 - tl.load(s + run)
    initial_rate = tl.load(learning_rate + run)
    correction1 = tl.load(corrections)
    correction2 = tl.load(corrections + 1)
    alive = tl.load(diverged + run) < 0
    for step in range(steps):
        if alive:
            row = tl.load(rows + step)
            batch = None if plan.batch_size == 0 else batches + (run * steps + step) * count
            loss = _loss(data, y, batch, count, residual, weights, slope, plan)
            alive = tl.abs(loss) < float("inf")
            # The compiler settles the first condition.
            if plan.batch_size > 0:  # noqa: SIM102
                if row >= 0:
                    loss = _loss(data, y, None, data.points, None, weights, slope, plan)
                    alive = alive & (tl.abs(loss) < float("inf"))
            if alive:
                if row >= 0:
                    tl.store(losses + row, loss)
                    test_loss = _loss(test, test_y, None, test.points, None, weights, slope, plan)
                    tl.store(losses + logged + row, test_loss)
                correction1 = plan.beta1 * correction1 + (1 - plan.beta1)
                correction2 = plan.beta2 * correction2 + (1 - plan.beta2)
                rate = initial_rate * tl.load(factors + step)
                if plan.optimizer == "adam":
                    rate /= correction1
                tl.debug_barrier()
                for first in range(0, plan.width, plan.tiles.block):
                    _descend(
                        first,
                        data.x,
                        batch,
                        count,
                        residual,
                        weights,
                        state,
                        slope,
                        rate,
                        correction2,
                        plan,
                    )
                tl.debug_barrier()
            else:
                tl.store(diverged + run, first_step + step)
    tl.store(corrections, correction1)
    tl.store(corrections + 1, correction2)


@triton.jit(do_not_specialize=["step"])
def measure(data, test, weights, diverged, s, losses, step, plan: tl.constexpr):
    """Loss and test loss of each network that has not diverged, [R, 2], after `step` updates."""
    run = tl.program_id(0).to(tl.int64)
    weights += run * (plan.inputs + 1) * plan.width
    slope = 1 - tl.load(s + run)
    if tl.load(diverged + run) < 0:
        y = data.y + run * data.points
        loss = _loss(data, y, None, data.points, None, weights, slope, plan)
        if tl.abs(loss) < float("inf"):
            tl.store(losses + 2 * run, loss)
            y = test.y + run * test.points
            loss = _loss(test, y, None, test.points, None, weights, slope, plan)
            tl.store(losses + 2 * run + 1, loss)
        else:
            tl.store(diverged + run, step)


@triton.jit
def _loss(data, y, batch, count, residual, weights, slope, plan: tl.constexpr):
    """R_s of one network, with slope = 1 - s, on the first `count` points, or those of a batch.

    Writes phi - y to residual [count], if given.

    The last axis of a tile has 32 points, one for each thread of a warp. The first axis has further
    points, so that a thread uses a weight more than once. The middle axis has neurons, divided
    among the warps.
    """
    kind = weights.dtype.element_ty
    rows: tl.constexpr = plan.tiles.points // LANES
    point = tl.arange(0, rows)[:, None, None] * LANES + tl.arange(0, LANES)[None, None, :]
    neuron = tl.arange(0, plan.tiles.neurons)[None, :, None]
    squares = tl.zeros([rows, 1, LANES], kind)
    for first_point in range(0, count, plan.tiles.points):
        i = first_point + point
        there = i < count
        at = i if batch is None else tl.load(batch + i, mask=there, other=0)
        outputs = tl.zeros([rows, plan.tiles.neurons, LANES], kind)
        for first_neuron in range(0, plan.width, plan.tiles.neurons):
            k = first_neuron + neuron
            z = tl.zeros([rows, plan.tiles.neurons, LANES], kind)
            for j in tl.range(plan.inputs, loop_unroll_factor=4):
                x = tl.load(data.x + at * plan.inputs + j, mask=there, other=0)
                z += x * tl.load(weights + j * plan.width + k, mask=k < plan.width, other=0)
            outer = tl.load(weights + plan.inputs * plan.width + k, mask=k < plan.width, other=0)
            outputs += outer * tl.where(z > 0, z, slope * z)
        phi = tl.sum(outputs, axis=1, keep_dims=True) * plan.width**-0.5
        difference = phi - tl.load(y + at, mask=there, other=0)
        if residual is not None:
            tl.store(residual + i, difference, mask=there)
        squares += tl.where(there, difference * difference, 0)
    return tl.sum(squares) / (2 * count)


@triton.jit
def _descend(
    first,
    points,
    batch,
    count,
    residual,
    weights,
    state,
    slope,
    rate,
    correction2,
    plan: tl.constexpr,
):
    """Gradient and update of a block of neurons; rate is divided by Adam's first correction."""
    kind = weights.dtype.element_ty
    j = tl.arange(0, plan.tiles.inputs)
    k = first + tl.arange(0, plan.tiles.block)
    # Without this hint the compiler would know that neurons are contiguous in memory. It would give
    # each thread several of them to load and divide the inputs of a neuron among threads, with a
    # barrier for every point.
    inner_at = tl.max_contiguous(j[:, None] * plan.width + k[None, :], [1, 1])
    inner_there = (j[:, None] < plan.inputs) & (k[None, :] < plan.width)
    outer_at = plan.inputs * plan.width + k
    outer_there = k < plan.width
    inner = tl.load(weights + inner_at, mask=inner_there, other=0)
    outer = tl.load(weights + outer_at, mask=outer_there, other=0)
    back = tl.zeros_like(inner)
    for i in tl.range(count, loop_unroll_factor=4):
        at = i if batch is None else tl.load(batch + i)
        x = tl.load(points + at * plan.inputs + j, mask=j < plan.inputs, other=0)
        z = tl.sum(x[:, None] * inner, axis=0)
        weighted = tl.load(residual + i) * x
        back += weighted[:, None] * tl.where(z > 0, 1, slope)[None, :]
    # In this order: Triton computes a float divided by an integer in float32.
    back = back * plan.width**-0.5 / count
    tl.debug_barrier()
    rate = rate.to(kind)
    correction2 = correction2.to(kind)
    gradient = outer[None, :] * back
    _update(weights, state, inner_at, inner_there, inner, gradient, rate, correction2, plan)
    if not plan.fixed_outer:
        gradient = tl.sum(inner * back, axis=0)
        _update(weights, state, outer_at, outer_there, outer, gradient, rate, correction2, plan)


@triton.jit
def _update(weights, state, at, there, values, gradient, rate, correction2, plan: tl.constexpr):
    """Update the weights at some addresses, as in `hrta.training.optimizers`."""
    if plan.optimizer == "gradient_descent":
        change = -rate * gradient
    elif plan.optimizer == "heavy_ball":
        change = plan.momentum * tl.load(state + at, mask=there) - rate * gradient
        tl.store(state + at, change, mask=there)
    elif plan.optimizer == "nesterov":
        descent = -rate * gradient
        lead = plan.momentum * (tl.load(state + at, mask=there) + descent)
        tl.store(state + at, lead, mask=there)
        change = descent + lead
    else:
        second_state = state + (plan.inputs + 1) * plan.width
        first = plan.beta1 * tl.load(state + at, mask=there) + (1 - plan.beta1) * gradient
        second = plan.beta2 * tl.load(second_state + at, mask=there)
        second += (1 - plan.beta2) * (gradient * gradient)
        tl.store(state + at, first, mask=there)
        tl.store(second_state + at, second, mask=there)
        change = -rate * first / (tl.sqrt(second / correction2) + plan.eps)
    tl.store(weights + at, values + change, mask=there)
