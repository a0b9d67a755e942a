"""The Deep Ritz energy of a ReLU^2 homotopy network, its gradient, and the training by Adam.

With sigma_s(z) = (1 - s) z + s relu(z)^2 / 2, z_ik = w_k . (x_i, 1), and x_iD = 1, the gradient of
phi (l = 1 .. d) and phi itself come from the same D = d + 1 sums over neurons,

    h_il = sum_k a_k w_lk relu(z_ik),    c_l = sum_k a_k w_lk,
    grad_l phi(x_i) = [(1 - s) c_l + s h_il] / sqrt(m),
    phi(x_i)        = sum_l x_il [(1 - s) c_l + s h_il / 2] / sqrt(m),

because relu^2 is homogeneous. With p_i and q_il the derivatives of the energy with respect to
phi(x_i) and grad_l phi(x_i), divided by sqrt(m) (q_iD = 0), its derivatives with respect to the
weights follow from the D (D + 1) / 2 sums over active points

    M_lj = sum_i 1[z_ik > 0] (p_i x_il x_ij + q_il x_ij + q_ij x_il),
    dE/dw_lk = a_k [(1 - s) b_l + s sum_j M_lj w_jk],        b_l = sum_i (p_i x_il + q_il),
    dE/da_k  = sum_l w_lk [(1 - s) b_l + s/2 sum_j M_lj w_jk].

The sums over pairs of a neuron and a point are those of `hrta.training.kernels.ritz_sums`.
"""

import numpy as np

from hrta.runtime.compilation import compiled
from hrta.training.kernels.ritz_sums import sums_over_neurons, sums_over_points
from hrta.training.kernels.updates import ADAM, BETA1, BETA2, update_block
from hrta.training.kernels.vectors import GROUP


@compiled
def forward(points, network, s):
    """Write phi and its gradient at the points; s in the dtype of the parameters."""
    parameters, products = network.parameters, network.products
    values, slopes = points.values, points.slopes
    kind = values.dtype.type
    last = len(products) - 1
    scale, half = kind(len(parameters[0]) ** -0.5), kind(0.5)
    linear = np.empty(len(products), values.dtype)
    outer = parameters[last + 1]
    for j in range(len(products)):
        weights, product, total = parameters[j], products[j], kind(0)
        for k in range(len(outer)):
            product[k] = outer[k] * weights[k]
            total += product[k]
        linear[j] = scale * kind(1 - s) * total
    sums_over_neurons(points.x, parameters, products, points.patterns, slopes)
    bent = slopes[last]
    for i in range(len(values)):
        values[i] = linear[last] + half * scale * s * bent[i]
    for j in range(last):
        slope, x = slopes[j], points.x[j]
        for i in range(len(values)):
            bent_slope = scale * s * slope[i]
            values[i] += x[i] * (linear[j] + half * bent_slope)
            slope[i] = linear[j] + bent_slope
    slopes[last] = 0


@compiled
def energy(points):
    """E and int phi by the quadrature, from phi and its gradient; sums are float64."""
    weights, values, source = points.weights, points.values, points.source
    mean = work = stored = 0.0
    for i in range(len(values)):
        mean += weights[i] * values[i]
        work += weights[i] * values[i] * source[i]
    for j in range(len(points.x)):
        slope = points.slopes[j]
        for i in range(len(values)):
            stored += weights[i] * slope[i] * slope[i]
    return stored / 2 + mean * mean / 2 - work, mean


@compiled
def backward(points, network, mean, s):
    """Write the gradient of the energy from the results of `forward`, which are overwritten."""
    parameters, gradient, sums = network.parameters, network.gradient, network.sums
    kind = parameters.dtype.type
    half = kind(0.5)
    linear = _moments(points, kind(mean), kind(len(parameters[0]) ** -0.5))
    linear *= kind(1 - s)
    _fill_tables(points.moments, points.tables)
    sums_over_points(points.moments, points.patterns, points.tables, sums)
    last = len(linear)
    outer, outer_gradient = parameters[last], gradient[last]
    outer_gradient[:] = 0
    for j in range(last):
        row, inner = gradient[j], parameters[j]
        row[:] = 0
        for other in range(last):
            low, high = min(j, other), max(j, other)
            moment, weights = sums[high * (high + 1) // 2 + low], parameters[other]
            for k in range(len(outer)):
                row[k] += moment[k] * weights[k]
        for k in range(len(outer)):
            bent = s * row[k]
            outer_gradient[k] += inner[k] * (linear[j] + half * bent)
            row[k] = outer[k] * (linear[j] + bent)


@compiled
def _fill_tables(moments, tables):
    """Write the sums of the moments over all parts of each group of points."""
    for group in range(len(tables)):
        for j in range(len(moments)):
            moment, table = moments[j], tables[group, j]
            table[0] = 0
            for i in range(GROUP):
                size = 1 << i
                for part in range(size):
                    table[size + part] = table[part] + moment[GROUP * group + i]


@compiled
def _moments(points, mean, scale):
    """Overwrite phi by p and its gradient by q, write the terms of M, and return b, [D]."""
    p, slopes, inputs = points.values, points.slopes, points.inputs
    linear = np.zeros(len(inputs), inputs.dtype)
    for i in range(len(p)):
        p[i] = scale * points.weights[i] * (mean - points.source[i])
    number = 0
    for j in range(len(inputs)):
        q, x = slopes[j], inputs[j]
        total = inputs.dtype.type(0)
        for i in range(len(p)):
            q[i] *= scale * points.weights[i]
            total += p[i] * x[i] + q[i]
        linear[j] = total
        for other in range(j + 1):
            moment, other_q, other_x = points.moments[number], slopes[other], inputs[other]
            for i in range(len(p)):
                moment[i] = p[i] * x[i] * other_x[i] + q[i] * other_x[i] + other_q[i] * x[i]
            number += 1
    return linear


@compiled
def errors(exact):
    """int (phi - u)^2, int |grad (phi - u)|^2 and int phi, after `forward` at these points."""
    points = exact.points
    weights, values = points.weights, points.values
    square = slope_square = mean = 0.0
    for i in range(len(exact.solution)):
        difference = np.float64(values[i]) - exact.solution[i]
        square += weights[i] * difference * difference
        mean += weights[i] * values[i]
    for j in range(len(points.x)):
        slopes, gradient = points.slopes[j], exact.gradient[j]
        for i in range(len(gradient)):
            difference = np.float64(slopes[i]) - gradient[i]
            slope_square += weights[i] * difference * difference
    return square, slope_square, mean


@compiled
def advance(points, x, source, exact, network, state, corrections, s, rates, logged, measured):
    """T updates of one network by Adam.

    Args:
        points: points of the quadrature.
        x, source: x [T', d, n] and f [T', n] replace the points at each step; T' = 0 for none.
        exact: the exact solution at the points for measuring errors.
        network: updated.
        state: Adam's two moments, [2, D + 1, m], updated.
        corrections: 1 - beta^t of the two, [2] float64, updated.
        s: in the dtype of the parameters.
        rates: learning rate of each update, [T] float64.
        logged: whether to measure before each update, [T]; or [T + 1], also after the last.
        measured: output, [4, logged steps]: the energy by the quadrature and the results of
            `errors`; infinite after divergence.

    Returns:
        The number of updates before the energy was non-finite, or -1.
    """
    kind = network.parameters.dtype.type
    row = 0
    for step in range(len(logged)):
        if len(x):
            points.inputs[:-1, : x.shape[2]] = x[step]
            points.source[: x.shape[2]] = source[step]
        forward(points, network, s)
        loss, mean = energy(points)
        # Not np.isfinite: it computes loss - loss, which reassociation turns into 0 even for NaN.
        if not abs(loss) < np.inf:
            measured[:, row:] = np.inf
            return step
        if logged[step]:
            forward(exact.points, network, s)
            measured[0, row] = loss
            measured[1, row], measured[2, row], measured[3, row] = errors(exact)
            row += 1
        if step == len(rates):
            break
        backward(points, network, mean, s)
        corrections[0] = BETA1 * corrections[0] + (1 - BETA1)
        corrections[1] = BETA2 * corrections[1] + (1 - BETA2)
        rate, debias = kind(rates[step] / corrections[0]), kind(1 / corrections[1])
        rows, width = network.parameters.shape
        block = (network.parameters, state, rows, 0, width, network.gradient)
        update_block(*block, ADAM, rate, kind(0), debias)
    return -1
