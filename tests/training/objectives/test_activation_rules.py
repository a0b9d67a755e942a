"""sigma_s in memory of the caller against `homotopy` and automatic differentiation."""

import pytest
import torch

from hrta.activations import BASES, homotopy
from hrta.training.objectives.activation_rules import RULES


def test_every_base_has_a_rule():
    assert RULES.keys() == BASES.keys()


@pytest.mark.parametrize("s", [0.0, 0.4, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("base", BASES)
def test_a_rule_is_the_homotopy_and_its_derivative(base, s):
    z = torch.tensor(
        [[-800.0, -30, -3, -0.7, -1e-3, 0], [1e-3, 0.4, 1, 2.5, 30, 800]], dtype=torch.float64
    )
    z.requires_grad_()
    expected = homotopy(z, s, base)
    incoming = torch.linspace(-1, 1, z.numel(), dtype=z.dtype).reshape(z.shape)
    expected.backward(incoming)

    rule, kept, scratch, found = RULES[base], *(torch.empty_like(z.detach()) for _ in range(3))
    (scratch if rule.z_in_scratch else kept).copy_(z.detach())
    rule.apply(s, kept, scratch, found)
    gradient = incoming.clone()
    rule.pull_back(s, gradient, kept, scratch)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(gradient, z.grad, rtol=1e-14, atol=1e-14)
