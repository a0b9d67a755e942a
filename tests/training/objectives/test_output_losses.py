"""Losses in the memory of the outputs against torch's, with automatic differentiation."""

import torch
from torch.nn import functional

from hrta.training.objectives.output_losses import CrossEntropy, SquaredError

CLOSE = {"rtol": 1e-13, "atol": 1e-15}
LABELS = torch.tensor([2, 0, 1, 1, 2, 0])


def random_outputs(classes):
    """Of four runs on six points, [R, k, n]."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, classes, 6, dtype=torch.float64, generator=generator)


def check(loss, outputs, of_run):
    """Loss and derivative of each run against those of `of_run(outputs of the run)`."""
    outputs.requires_grad_()
    expected = torch.stack([of_run(each) for each in outputs])
    expected.sum().backward()
    derivative = outputs.detach().clone()
    found = loss.value_and_derivative(derivative)
    torch.testing.assert_close(found, expected.detach(), **CLOSE)
    torch.testing.assert_close(derivative, outputs.grad, **CLOSE)
    torch.testing.assert_close(loss.value(outputs.detach().clone()), expected.detach(), **CLOSE)


def test_the_squared_error_is_half_that_of_torch():
    y = torch.linspace(-1, 2, 6, dtype=torch.float64)
    outputs = random_outputs(1)
    check(SquaredError(y), outputs, lambda each: functional.mse_loss(each[0], y) / 2)


def test_the_cross_entropy_is_that_of_torch():
    outputs = random_outputs(3)
    loss = CrossEntropy(LABELS, 3, outputs)
    check(loss, outputs, lambda each: functional.cross_entropy(each.T, LABELS))


def test_no_exponential_of_well_separated_classes_is_denormal():
    outputs = (1000 * random_outputs(3)).float()
    loss = CrossEntropy(LABELS, 3, outputs)
    derivative = outputs.clone()
    found = loss.value_and_derivative(derivative)
    expected = [functional.cross_entropy(each.T, LABELS) for each in outputs]
    torch.testing.assert_close(found, torch.stack(expected))
    exponentials = outputs.clone()
    loss.value(exponentials)
    assert exponentials.min() >= torch.finfo(torch.float32).tiny


def test_errors_are_those_of_argmax_also_where_outputs_are_equal():
    outputs = torch.cat([random_outputs(3), torch.zeros(1, 3, 6), random_outputs(3)[:1].round()])
    _, errors = CrossEntropy(LABELS, 3, outputs).measures(outputs.clone())
    expected = (outputs.argmax(dim=1) != LABELS).double().mean(dim=1)
    assert torch.equal(errors, expected)
    assert errors[4] == 4 / 6
