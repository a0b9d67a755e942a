"""From the configuration to the specs of all jobs, each under the name of its result."""

from collections.abc import Iterator
from functools import cache

from hrta.problems.datasets import INCLUDED
from hrta.problems.targets import make_problem
from hrta.study.config.base_spec import Spec
from hrta.study.config.deep_specs import PoissonSpec, SlopesSpec, SlopeVariant
from hrta.study.config.problem_sources import DataSet, SampledProblem
from hrta.study.config.race_methods import Entry
from hrta.study.config.race_spec import RacedProblem, RaceSpec
from hrta.study.config.races import Race
from hrta.study.config.replication import Replication
from hrta.study.config.theory_specs import (
    AccelerationSpec,
    JumpsSpec,
    MotionSpec,
    RatesSpec,
    SampleNumberSpec,
    SpectraSpec,
    WidthLimitSpec,
)
from hrta.study.config.training_specs import (
    AlternationSpec,
    DataSpec,
    SweepSpec,
    SweptEnsemble,
    TrainingSpec,
)

Named = Iterator[tuple[str, Spec]]


def make_jobs(settings: Replication) -> dict[str, Spec]:
    """The specs of all jobs, by the names of their results, such as runs/sine1d/adam/width50.

    Names that begin with data/ are problems; results of the others are tidy tables.
    """
    parts = (_data, _training, _spectra, _theory, _competitors, _races, _poisson, _sweep)
    return {name: spec for part in parts for name, spec in part(settings)}


def races_of(settings: Replication) -> dict[str, Race]:
    """All races, by the folder of their results."""
    extensions = settings.beyond
    return {
        "race": settings.siblings.race,
        "schedules": extensions.schedules.race,
        "activations": extensions.activations.race,
        "depth": extensions.depth.race,
    }


@cache
def points_digest(name: str, points: int | None, test_points: int) -> str:
    """SHA-256 of a sampled problem's points."""
    return make_problem(name, points, test_points).digest


def _sampled(
    settings: Replication,
    experiment: str,
    points: int | None = None,
    test_points: int = 1,
    file: str | None = None,
) -> SampledProblem:
    """The problem of an experiment, with a number of points of its own or with that one."""
    chosen = settings.experiments[experiment]
    points = points or chosen.points.value
    return SampledProblem(
        name=chosen.problem,
        points=points,
        test_points=test_points,
        file=file,
        digest=points_digest(chosen.problem, points, test_points),
    )


def _stored(settings: Replication, name: str) -> SampledProblem | DataSet:
    """An experiment's points or a set of real data, in the file that the data job writes."""
    file = f"data/{name}.parquet"
    if name not in settings.experiments:
        return DataSet(name=name, file=file)
    test_points = settings.experiments[name].test_points.value
    return _sampled(settings, name, test_points=test_points, file=file)


def _data(settings: Replication) -> Named:
    for name in [*settings.experiments, *INCLUDED]:
        # The job makes the file, so that its own spec names none.
        made = _stored(settings, name).model_copy(update={"file": None})
        yield f"data/{name}", DataSpec(problem=made)


def _training(settings: Replication) -> Named:
    for name, experiment in settings.experiments.items():
        for optimizer in experiment.optimizers:
            chosen = settings.optimizers[optimizer]
            momentum = {} if chosen.momentum is None else {"momentum": chosen.momentum.value}
            for width in experiment.widths.value:
                yield (
                    f"runs/{name}/{optimizer}/width{width}",
                    TrainingSpec(
                        experiment=name,
                        problem=_stored(settings, name),
                        width=width,
                        methods={
                            method: settings.methods[method].s for method in experiment.methods
                        },
                        stage_steps=settings.training.stage_steps.value,
                        optimizer=optimizer,
                        learning_rates=chosen.learning_rates.value,
                        decay=settings.training.decay.value,
                        seeds=settings.seeds.value,
                        log_every=settings.training.log_every.value,
                        dtype=settings.dtype,
                        device=settings.device,
                        engine=settings.engine,
                        **momentum,
                    ),
                )


def _spectra(settings: Replication) -> Named:
    for name, experiment in settings.experiments.items():
        yield (
            f"spectra/{name}",
            SpectraSpec(
                experiment=name,
                problem=_stored(settings, name),
                s=settings.spectra.s.value,
                widths=experiment.widths.value,
                seeds=settings.spectra.seeds.value,
            ),
        )


def _theory(settings: Replication) -> Named:
    theory = settings.theory
    for name in theory.width_limit.experiments:
        yield (
            f"theory/width/{name}",
            WidthLimitSpec(
                experiment=name,
                problem=_sampled(settings, name),
                s=theory.s.value,
                widths=theory.width_limit.widths.value,
                seeds=theory.width_limit.seeds.value,
            ),
        )
    for name, many in theory.sample_number.experiments.items():
        problems = [_sampled(settings, name, points) for points in many.points.value]
        yield (
            f"theory/samples/{name}",
            SampleNumberSpec(experiment=name, problems=problems, s=theory.s.value),
        )
    motion = theory.motion
    for optimizer in motion.optimizers:
        yield (
            f"theory/motion/{optimizer}",
            MotionSpec(
                experiment=motion.experiment,
                problem=_sampled(settings, motion.experiment),
                methods={method: settings.methods[method].s for method in motion.methods},
                widths=motion.widths.value,
                seeds=motion.seeds.value,
                stage_steps=motion.stage_steps.value,
                optimizer=optimizer,
                learning_rate=settings.optimizers[optimizer].learning_rates.value[0],
            ),
        )
    rates = theory.rates
    for name, few in rates.experiments.items():
        yield (
            f"theory/rates/{name}",
            RatesSpec(
                experiment=name,
                problem=_sampled(settings, name, few.points.value),
                methods={method: settings.methods[method].s for method in rates.methods},
                widths=rates.widths.value,
                seeds=rates.seeds.value,
                stage_steps=rates.stage_steps.value,
                learning_rate=rates.learning_rate.value,
                log_every=rates.log_every.value,
            ),
        )
    for name, experiment in settings.experiments.items():
        methods = {method: settings.methods[method].s for method in experiment.methods}
        yield (
            f"theory/jumps/{name}",
            JumpsSpec(experiment=name, problem=_sampled(settings, name), methods=methods),
        )


def _competitors(settings: Replication) -> Named:
    slopes, acceleration = settings.siblings.adaptive_slopes, settings.siblings.acceleration
    alternation = settings.siblings.alternation
    for name, variant in slopes.variants.items():
        chosen = SlopeVariant(adaptive=variant.adaptive, recovery=variant.recovery)
        yield (
            f"slopes/{name}",
            SlopesSpec(
                experiment=slopes.experiment,
                problem=_stored(settings, slopes.experiment),
                variants={name: chosen},
                hidden=slopes.hidden.value,
                activation=slopes.activation,
                scale=slopes.scale.value,
                steps=slopes.steps.value,
                solution_steps=slopes.checkpoints.value,
                learning_rate=slopes.learning_rate.value,
                seeds=slopes.seeds.value,
                log_every=slopes.log_every.value,
            ),
        )
    for name, own in acceleration.problems.items():
        problem = DataSet(name=name)
        if name in settings.experiments:
            points = own.points and own.points.value
            problem = _sampled(settings, name, points, test_points=200)
        yield (
            f"acceleration/{name}",
            AccelerationSpec(
                experiment=name,
                problem=problem,
                widths=acceleration.widths.value,
                seeds=acceleration.seeds.value,
                steps=acceleration.steps.value,
                step_fraction=acceleration.step_fraction.value,
                log_every=acceleration.log_every.value,
            ),
        )
    for name in alternation.problems:
        yield (
            f"anmin/{name}",
            AlternationSpec(
                problem=_stored(settings, name),
                width=alternation.width.value,
                rounds=alternation.rounds.value,
                ridge=alternation.ridge.value,
                leak=alternation.leak.value,
                seeds=alternation.seeds.value,
            ),
        )


def _races(settings: Replication) -> Named:
    for folder, race in races_of(settings).items():
        problems = [
            RacedProblem(
                problem=_stored(settings, name),
                widths=each.widths.value,
                evaluations=each.evaluations.value,
            )
            for name, each in race.problems.items()
        ]
        for job, names in race.jobs.items():
            methods = {name: race.methods[name] for name in names}
            yield (
                f"{folder}/{job}",
                RaceSpec(
                    entries={
                        name: Entry(method=each.method, grid=race.grids[each.grid].value)
                        for name, each in methods.items()
                    },
                    problems=problems,
                    tuning_seeds=race.tuning_seeds.value,
                    seeds=race.seeds.value,
                    decay=settings.training.decay.value,
                    final_fraction=settings.training.final_fraction.value,
                ),
            )


def _poisson(settings: Replication) -> Named:
    poisson = settings.poisson
    for name, problem in poisson.problems.items():
        for quadrature in poisson.quadratures:
            yield (
                f"poisson/{name}_{quadrature}",
                PoissonSpec(
                    experiment=f"{name}_{quadrature}",
                    solution=problem.solution,
                    methods={method: each.s for method, each in poisson.methods.items()},
                    points=problem.points.value,
                    quadrature=quadrature,
                    width=poisson.width.value,
                    stage_steps=poisson.stage_steps.value,
                    learning_rates=poisson.learning_rates.value,
                    decay=settings.training.decay.value,
                    seeds=problem.seeds.value,
                    log_every=poisson.log_every.value,
                ),
            )


def _sweep(settings: Replication) -> Named:
    sweep = settings.sweep
    for optimizer, batches in (sweep.batches if sweep else {}).items():
        chosen = settings.optimizers[optimizer]
        momentum = {} if chosen.momentum is None else {"momentum": chosen.momentum.value}
        for number, batch in enumerate(batches):
            ensembles = [
                SweptEnsemble(experiment=name, width=width, learning_rate=rate, method=method)
                for name, width, rate, method in batch
            ]
            yield (
                f"sweep/{optimizer}/batch{number:03}",
                SweepSpec(
                    ensembles=ensembles,
                    problems={
                        each.experiment: _stored(settings, each.experiment) for each in ensembles
                    },
                    methods={each.method: sweep.methods[each.method].s for each in ensembles},
                    stage_steps=sweep.stage_steps.value,
                    optimizer=optimizer,
                    decay=settings.training.decay.value,
                    seeds=sweep.seeds.value,
                    log_every=sweep.log_every.value,
                    dtype=settings.dtype,
                    device=settings.device,
                    engine=settings.engine,
                    **momentum,
                ),
            )
