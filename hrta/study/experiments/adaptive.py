"""Deep networks with locally adaptive activations, trained by Adam."""

from pathlib import Path

from hrta.networks.adaptive import AdaptiveNetworks
from hrta.schedules import Schedule, Stage
from hrta.study.analysis.schema import LAAF
from hrta.study.config.adaptive_slopes import AdaptiveSpec
from hrta.study.experiments.devices import choose_device, name_of
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem
from hrta.training.objectives.adaptive import AdaptiveSlopes
from hrta.training.trainer import train


def run(spec: AdaptiveSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """Train one network for each seed.

    Returns:
        Rows of `LAAF`.

    Raises:
        ValueError: as `hrta.train`.
    """
    problem = load_problem(spec.problem)
    device = choose_device(spec.device)
    start = AdaptiveNetworks.initialise(
        range(spec.seeds),
        problem.inputs,
        spec.hidden,
        spec.activation,
        spec.adaptive,
        spec.scale,
        device=device,
    )
    training = train(
        problem,
        start,
        Schedule([Stage(1.0, spec.steps)]),
        learning_rate=spec.learning_rate,
        log_every=spec.log_every,
        decay=spec.decay,
        objective=AdaptiveSlopes(spec.recovery),
        progress=progress,
    )
    table = training.history.rename(columns={"run": "seed"})
    return Outcome(LAAF.select(table), "float32", device=name_of(device))
