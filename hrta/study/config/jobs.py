"""Make the specs of all jobs from the configuration, by the names of their results."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TypeVar

from pydantic import BaseModel

from hrta.problems.datasets import INCLUDED
from hrta.problems.targets import make_problem
from hrta.study.config.base_spec import Spec
from hrta.study.config.deep_specs import PoissonSpec, SlopesSpec
from hrta.study.config.problem_sources import DataSet, SampledProblem
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
    TrainingSpec,
)
from hrta.study.config.values import Sourced

Model = TypeVar("Model", bound=BaseModel)
Named = Iterator[tuple[str, Spec]]


def make_jobs(settings: Replication) -> dict[str, Spec]:
    """The specs of all jobs, by the names of their results, such as runs/sine1d/adam/width50.

    Results named data/... are points of problems; the others are tidy tables.
    """
    parts = (_data, _training, _spectra, _theory, _competitors, _races, _poisson, _sweep)
    return {name: spec for part in parts for name, spec in part(settings)}


def races_of(settings: Replication) -> dict[str, Race]:
    """All races by the folders of their results."""
    extensions = settings.extensions
    return {
        "race": settings.competitors.race,
        "schedules": extensions.schedules.race,
        "activations": extensions.activations.race,
        "depth": extensions.depth.race,
    }


@cache
def points_digest(name: str, points: int | None, test_points: int) -> str:
    """SHA-256 of the points of a sampled problem."""
    return make_problem(name, points, test_points).digest


def _spec(spec_type: type[Model], *sections: BaseModel, **fields: object) -> Model:
    """A spec with these fields; the other fields are taken by name from the sections.

    If several sections have a value of that name, the last one counts.
    """
    values = {}
    for section in sections:
        for name, value in section:
            if name in spec_type.model_fields and value is not None:
                values[name] = value.value if isinstance(value, Sourced) else value
    return spec_type(**{**values, **fields})


def _sampled(
    settings: Replication,
    experiment: str,
    points: int | None = None,
    test_points: int = 1,
    file: str | None = None,
) -> SampledProblem:
    """The problem of an experiment, with its own or the given number of points."""
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
    """The points of an experiment or of a set of real data, in the file of its data job."""
    file = f"data/{name}.parquet"
    if name not in settings.experiments:
        return DataSet(name=name, file=file)
    test_points = settings.experiments[name].test_points.value
    return _sampled(settings, name, test_points=test_points, file=file)


def _methods(settings: Replication, names: Iterable[str]) -> dict[str, list[float]]:
    """The s of each stage, for each of these methods."""
    return {name: settings.methods[name].s for name in names}


def _data(settings: Replication) -> Named:
    for name in [*settings.experiments, *INCLUDED]:
        computed = _stored(settings, name).model_copy(update={"file": None})
        yield f"data/{name}", DataSpec(problem=computed)


def _training(settings: Replication) -> Named:
    for name, experiment in settings.experiments.items():
        for optimizer in experiment.optimizers:
            for width in experiment.widths.value:
                spec = _spec(
                    TrainingSpec,
                    settings,
                    settings.training,
                    settings.optimizers[optimizer],
                    experiment=name,
                    problem=_stored(settings, name),
                    width=width,
                    methods=_methods(settings, experiment.methods),
                    optimizer=optimizer,
                )
                yield f"runs/{name}/{optimizer}/width{width}", spec


def _spectra(settings: Replication) -> Named:
    for name, experiment in settings.experiments.items():
        problem = _stored(settings, name)
        spec = _spec(SpectraSpec, experiment, settings.spectra, experiment=name, problem=problem)
        yield f"spectra/{name}", spec


def _theory(settings: Replication) -> Named:
    theory, limit, motion = settings.theory, settings.theory.width_limit, settings.theory.motion
    for name in limit.experiments:
        problem = _sampled(settings, name)
        spec = _spec(WidthLimitSpec, theory, limit, experiment=name, problem=problem)
        yield f"theory/width/{name}", spec
    for name, many in theory.sample_number.experiments.items():
        problems = [_sampled(settings, name, points) for points in many.points.value]
        spec = _spec(SampleNumberSpec, theory, experiment=name, problems=problems)
        yield f"theory/samples/{name}", spec
    for optimizer in motion.optimizers:
        spec = _spec(
            MotionSpec,
            motion,
            problem=_sampled(settings, motion.experiment),
            methods=_methods(settings, motion.methods),
            optimizer=optimizer,
            learning_rate=settings.optimizers[optimizer].learning_rates.value[0],
        )
        yield f"theory/motion/{optimizer}", spec
    for name, few in theory.rates.experiments.items():
        spec = _spec(
            RatesSpec,
            theory.rates,
            experiment=name,
            problem=_sampled(settings, name, few.points.value),
            methods=_methods(settings, theory.rates.methods),
        )
        yield f"theory/rates/{name}", spec
    for name, experiment in settings.experiments.items():
        spec = JumpsSpec(
            experiment=name,
            problem=_sampled(settings, name),
            methods=_methods(settings, experiment.methods),
        )
        yield f"theory/jumps/{name}", spec


def _competitors(settings: Replication) -> Named:
    slopes, acceleration = settings.competitors.adaptive_slopes, settings.competitors.acceleration
    for name, variant in slopes.variants.items():
        chosen = {"adaptive": variant.adaptive, "recovery": variant.recovery}
        problem = _stored(settings, slopes.experiment)
        yield f"slopes/{name}", _spec(SlopesSpec, slopes, problem=problem, variants={name: chosen})
    for name, own in acceleration.problems.items():
        problem = DataSet(name=name)
        if name in settings.experiments:
            points = own.points and own.points.value
            problem = _sampled(settings, name, points, test_points=200)
        spec = _spec(AccelerationSpec, acceleration, experiment=name, problem=problem)
        yield f"acceleration/{name}", spec
    for name in settings.competitors.alternation.problems:
        problem = _stored(settings, name)
        spec = _spec(AlternationSpec, settings.competitors.alternation, problem=problem)
        yield f"anmin/{name}", spec


def _races(settings: Replication) -> Named:
    for folder, race in races_of(settings).items():
        problems = [
            _spec(RacedProblem, each, problem=_stored(settings, name))
            for name, each in race.problems.items()
        ]
        for job, names in race.jobs.items():
            entries = {name: race.entry(name) for name in names}
            spec = _spec(RaceSpec, settings.training, race, entries=entries, problems=problems)
            yield f"{folder}/{job}", spec


def _poisson(settings: Replication) -> Named:
    poisson = settings.poisson
    methods = {name: method.s for name, method in poisson.methods.items()}
    for name, problem in poisson.problems.items():
        for quadrature in poisson.quadratures:
            spec = _spec(
                PoissonSpec,
                settings.training,
                poisson,
                problem,
                experiment=f"{name}_{quadrature}",
                methods=methods,
                quadrature=quadrature,
            )
            yield f"poisson/{name}_{quadrature}", spec


def _sweep(settings: Replication) -> Named:
    sweep = settings.sweep
    for optimizer, batches in (sweep.batches if sweep else {}).items():
        for number, batch in enumerate(batches):
            spec = _spec(
                SweepSpec,
                settings,
                settings.training,
                settings.optimizers[optimizer],
                sweep,
                ensembles=batch,
                problems={each.experiment: _stored(settings, each.experiment) for each in batch},
                methods={each.method: sweep.methods[each.method].s for each in batch},
                optimizer=optimizer,
            )
            yield f"sweep/{optimizer}/batch{number:03}", spec
