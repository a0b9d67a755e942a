"""What type checkers know of the public names; it is checked and never run.

An ignored error is expected: mypy reports a comment that ignores nothing.
"""

from typing import assert_type

import numpy as np
from torch import Tensor, nn

import hrta
from hrta.networks import Perceptron

network = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
assert_type(hrta.convert(network, nn.ReLU, s=1.5), nn.Module)
assert_type(hrta.converted(network), dict[str, hrta.HomotopyActivation])
assert_type(hrta.restore(network, strict=False), nn.Module)

stages = [hrta.Stage(s=1.0, steps=150), hrta.Stage(s=1.5, steps=150)]
scheduler = hrta.HomotopyScheduler(network, stages, hrta.Plateau(patience=10))
assert_type(scheduler.step(0.1), bool)
assert_type(scheduler.s, float)

activation = hrta.HomotopyActivation(0.5)
activation.s = 1.5
assert_type(activation.s, Tensor)
assert_type(hrta.homotopy(activation.s, 0.5), Tensor)

x = np.zeros((3, 2))
problem = hrta.Problem("zero", x, np.zeros(3))
networks = hrta.TwoLayer.initialise([0, 1], inputs=2, width=5)
assert_type(networks, hrta.TwoLayer)
result = hrta.train(problem, networks, hrta.Schedule(stages), learning_rate=[1e-3, 1e-2])
assert_type(result, hrta.Training)
assert_type(result.diverged, dict[int, int])
assert_type(hrta.train(problem, [Perceptron(2, 5)], hrta.Schedule(stages)).engine, str)
assert_type(hrta.ntk.gram(x, 1.5), np.ndarray)
assert_type(hrta.anmin.train(x, problem.y, x, 5, 0.1, 0.0), hrta.anmin.Anmin)

hrta.convrt(network)  # type: ignore[attr-defined]
hrta.convert("network")  # type: ignore[arg-type]
hrta.ntk.gram(x, 1.5, part="all")  # type: ignore[arg-type]
activation.s = "1.5"  # type: ignore[assignment]
