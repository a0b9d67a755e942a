import pytest
import torch

from hrta.training.optimizers import OPTIMIZERS, make_optimizer

TORCH = {
    "gradient_descent": lambda weights: torch.optim.SGD(weights, lr=0.03),
    "heavy_ball": lambda weights: torch.optim.SGD(weights, lr=0.03, momentum=0.8),
    "nesterov": lambda weights: torch.optim.SGD(weights, lr=0.03, momentum=0.8, nesterov=True),
    "adam": lambda weights: torch.optim.Adam(weights, lr=0.03),
}


class Stepper:
    """An optimizer beside what it keeps for parameters [R, ...]."""

    def __init__(self, name, momentum, parameters):
        self.optimizer = make_optimizer(name, momentum)
        runs, *shape = parameters.shape
        self.moments = parameters.new_zeros(runs, self.optimizer.state_size, *shape)
        self.corrections = torch.zeros(runs, 2, dtype=torch.float64)

    def update(self, gradient, rate):
        return self.optimizer.update(gradient, rate, self.moments, self.corrections)


def gradient_of(theta):
    """Of a function that is neither quadratic nor separable."""
    return theta.sin() + theta.sum() * 0.1


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_step_is_torchs(name):
    start = torch.randn(4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    theirs = start.clone().requires_grad_()
    torch_optimizer = TORCH[name]([theirs])
    ours, optimizer = start.clone(), Stepper(name, 0.8, start)
    rate = torch.tensor(0.03, dtype=torch.float64)
    for _ in range(50):
        theirs.grad = gradient_of(theirs.detach())
        torch_optimizer.step()
        ours += optimizer.update(gradient_of(ours), rate)
        # A few roundings a step, not amplified by this problem.
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-12, atol=1e-13)


def test_momentum_keeps_its_definition_when_the_learning_rate_changes():
    """theta_{t+1} = theta_t - eta_t g_t + beta (theta_t - theta_{t-1}), and Nesterov's alike."""
    rates = [0.1, 0.05, 0.02, 0.3]
    theta = [torch.ones(3, dtype=torch.float64)] * 2
    for eta in rates:
        theta.append(theta[-1] - eta * gradient_of(theta[-1]) + 0.8 * (theta[-1] - theta[-2]))
    lead = last = nesterov = torch.ones(3, dtype=torch.float64)
    for eta in rates:
        lead = nesterov - eta * gradient_of(nesterov)
        nesterov, last = lead + 0.8 * (lead - last), lead
    for name, expected in (("heavy_ball", theta[-1]), ("nesterov", nesterov)):
        ours = torch.ones(3, dtype=torch.float64)
        optimizer = Stepper(name, 0.8, ours)
        for eta in rates:
            ours += optimizer.update(gradient_of(ours), torch.tensor(eta, dtype=torch.float64))
        torch.testing.assert_close(ours, expected, rtol=1e-14, atol=0)


def test_nesterov_is_heavy_ball_with_a_gradient_correction():
    """theta_{t+1} = theta_t - eta g_t + beta (theta_t - theta_{t-1}) - beta eta (g_t - g_{t-1}).

    The first g_{-1} is 0, as in torch's. Source: arXiv 2208.03941, section 2.
    """
    start = torch.randn(6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    eta, beta = 0.07, 0.85
    theta, before, last_gradient = start, start, torch.zeros_like(start)
    ours, optimizer = start.clone(), Stepper("nesterov", beta, start)
    theirs = start.clone().requires_grad_()
    torchs = torch.optim.SGD([theirs], lr=eta, momentum=beta, nesterov=True)
    for _ in range(40):
        gradient = gradient_of(theta)
        correction = beta * eta * (gradient - last_gradient)
        theta, before = theta - eta * gradient + beta * (theta - before) - correction, theta
        last_gradient = gradient
        ours += optimizer.update(gradient_of(ours), torch.tensor(eta, dtype=torch.float64))
        theirs.grad = gradient_of(theirs.detach())
        torchs.step()
        torch.testing.assert_close(ours, theta, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(theirs.detach(), theta, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_run_is_the_same_wherever_it_stands(name):
    """Vectorised loops have scalar remainders, which must round alike."""
    generator = torch.Generator().manual_seed(0)
    gradients = torch.randn(10, 7, 13, generator=generator)
    rates = torch.rand(7, 1, generator=generator)
    together, alone = (Stepper(name, 0.9, part) for part in (gradients[0], gradients[0, 4:5]))
    for gradient in gradients:
        expected = alone.update(gradient[4:5].clone(), rates[4:5])
        assert torch.equal(together.update(gradient.clone(), rates)[4:5], expected)


def test_what_is_unknown_or_out_of_range_is_refused():
    with pytest.raises(
        ValueError, match=r"optimizer must be one of gradient_descent, .*; it is 'sgd'"
    ):
        make_optimizer("sgd", 0.9)
    with pytest.raises(ValueError, match=r"momentum must be in \[0, 1\); it is 1"):
        make_optimizer("nesterov", 1.0)
