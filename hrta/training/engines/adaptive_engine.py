"""The numba engine of adaptive networks: compiled loops on the CPU, one network per thread."""

import numpy as np
from torch import Tensor

from hrta.networks.adaptive import AdaptiveNetworks
from hrta.training.engines.adaptive_layout import PaddedLayout
from hrta.training.engines.engine import ThreadedEngine
from hrta.training.kernels.adaptive import advance
from hrta.training.kernels.adaptive_arrays import Parameters, Settings, make_memory
from hrta.training.kernels.updates import OPTIMIZER_CODES
from hrta.training.kernels.vectors import GROUP
from hrta.training.packing import points_and_targets, tested_points
from hrta.training.task import Task


class AdaptiveEngine(ThreadedEngine):
    """Minimises mean_i (f(x_i) - y_i)^2 + recovery S(a) on a CPU, in float32 or float64.

    Args:
        task: the training task, with a `Problem` and `AdaptiveNetworks`.
        recovery: weight of the slope recovery term.
    """

    name = "numba"
    rows = 2

    def __init__(self, task: Task, recovery: float) -> None:
        networks, problem = task.networks, task.problem
        self._layout = PaddedLayout.of(networks)
        super().__init__(task, self._layout.pack(networks))
        like, adaptive = networks.weights[0], networks.adaptive
        scalar = self.state.parameters.dtype.type
        self._settings = Settings(
            inputs=networks.inputs + 1,
            widths=self._layout.widths,
            is_tanh=networks.activation == "tanh",
            by_neuron=adaptive == "neuron",
            trained=self._layout.first_slope if adaptive == "none" else self._layout.size,
            has_bias=len(networks.biases) == len(networks.weights),
            scale=scalar(networks.scale),
            factor=scalar(networks.factor),
            recovery=0.0 if adaptive == "none" else float(recovery),
            optimizer=OPTIMIZER_CODES[task.optimizer],
            momentum=scalar(task.momentum),
        )
        x, y = points_and_targets(problem.x, problem.y, like)
        tested = tested_points(problem, like)
        self.measures = 2 if tested else 1
        self._data, self._test = _padded(x, y), _padded(*(tested or (x[:0], y[:0])))
        # Compile here, in the main thread: only the main thread receives SIGTERM.
        self._advance_run(0, 1.0, np.empty(0), np.empty(0, bool), np.empty((2, 0)))

    def _advance_run(
        self, run: int, s: float, factors: np.ndarray, logged: np.ndarray, measured: np.ndarray
    ) -> int:
        state = self.state
        parameters = self._views(state.parameters[run])
        return advance(
            parameters,
            self._views(np.zeros_like(parameters.flat)),
            self._settings,
            make_memory(parameters.matrices),
            self._data,
            self._test,
            state.moments[run],
            state.corrections[run],
            self.task.learning_rate[state.runs[run]] * factors,
            logged,
            measured,
        )

    def _views(self, flat: np.ndarray) -> Parameters:
        """Views of the parameters of one network, [1, P]."""
        matrices, outer, slopes = self._layout.split(flat)
        return Parameters(
            flat, tuple(each[0] for each in matrices), outer[0], tuple(each[0] for each in slopes)
        )

    def _measure_run(self, run: int, s: float, measured: np.ndarray) -> int:
        return self._advance_run(run, s, np.empty(0), np.ones(1, bool), measured)

    def networks(self, runs: np.ndarray | slice = slice(None)) -> AdaptiveNetworks:
        return self._layout.unpack(self.state.parameters[runs], self.task.networks)

    def _state_changed(self) -> None:
        pass


def _padded(x: Tensor, y: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Points [n, D] padded with zeros to multiples of GROUP, and targets [n]."""
    rows, columns = (-(-size // GROUP) * GROUP for size in x.shape)
    padded = np.zeros((rows, columns), y.numpy().dtype)
    padded[: x.shape[0], : x.shape[1]] = x.numpy()
    return padded, y.numpy()
