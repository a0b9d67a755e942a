"""Tasks for engines, without a loop around them."""

import numpy as np

from hrta import Problem, Schedule, Stage
from hrta.training.engines.numba_engine import NumbaEngine
from hrta.training.objectives.two_layer_loss import make_torch_engine
from hrta.training.task import Task

ONE_STEP = Schedule([Stage(1.0, 1)])


def random_problem(points, inputs, seed=0, test_points=5):
    """Random points and the sum of sines; no test points for 0."""
    random = np.random.default_rng(seed)
    x, x_test = random.normal(size=(points, inputs)), random.normal(size=(test_points, inputs))
    test = (x_test, np.sin(3 * x_test).sum(1)) if test_points else ()
    return Problem("random", x, np.sin(3 * x).sum(1), *test)


def task_of(problem, networks, **options):
    """A task of these networks, each with the same one-step schedule."""
    return Task(problem, networks, [ONE_STEP] * networks.runs, **options)


def both_engines(problem, networks, **options):
    """The torch and the numba engine on the same ensemble."""
    task = task_of(problem, networks, **options)
    return make_torch_engine(task), NumbaEngine(task)


def classes():
    """Twenty points in the plane, of three classes, and nine to test on."""
    random = np.random.default_rng(2)
    x = random.normal(size=(29, 2))
    y = np.arange(29) % 3
    return Problem("mine", x[:20], y[:20], x[20:], y[20:], classes=3)
