"""Deep networks with locally adaptive activations, trained by Adam."""

from pathlib import Path

from hrta.study.config.deep_specs import AdaptiveSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem
from hrta.training.adaptive import DeepNetworks, train


def run(spec: AdaptiveSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """The table of `hrta.training.adaptive.train`, its runs called by their seeds.

    Raises:
        ValueError: as `hrta.training.adaptive.train`.
    """
    problem = load_problem(spec.problem)
    start = DeepNetworks.initialise(
        range(spec.seeds), problem.inputs, spec.hidden, spec.activation, spec.adaptive, spec.scale
    )
    table, _ = train(
        problem,
        start,
        spec.steps,
        spec.learning_rate,
        decay=spec.decay,
        recovery=spec.recovery,
        log_every=spec.log_every,
        progress=progress,
    )
    return Outcome(table.rename(columns={"run": "seed"}), "float32")
