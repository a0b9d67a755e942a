"""Deep networks with locally adaptive activations, trained by Adam."""

from pathlib import Path

from hrta.networks.adaptive import AdaptiveNetworks
from hrta.schedules import Schedule, Stage
from hrta.study.config.deep_specs import AdaptiveSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem
from hrta.training.objectives.adaptive import AdaptiveSlopes
from hrta.training.trainer import train


def run(spec: AdaptiveSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """The losses of each run, identified by its seed.

    Raises:
        ValueError: as `hrta.train`.
    """
    problem = load_problem(spec.problem)
    start = AdaptiveNetworks.initialise(
        range(spec.seeds), problem.inputs, spec.hidden, spec.activation, spec.adaptive, spec.scale
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
    table = training.history.drop(columns=["stage", "s"])
    return Outcome(table.rename(columns={"run": "seed"}), "float32")
