"""The configuration of the tangent-kernel theory's measurements."""

from typing import Annotated

from pydantic import Field

from hrta.study.config.values import (
    Count,
    HomotopyParameter,
    PositiveNumber,
    Several,
    Sourced,
    Strict,
)


class WidthLimit(Strict):
    """Where finite networks' kernels are compared with infinite width."""

    experiments: Several[str]
    widths: Sourced[Several[Count]]
    seeds: Sourced[Count]


class ManyPoints(Strict):
    """Several numbers of points of one experiment."""

    points: Sourced[Several[Count]]


class SampleNumber(Strict):
    """Where the eigenvalues' dependence on the number of points is computed."""

    experiments: Annotated[dict[str, ManyPoints], Field(min_length=1)]


class Motion(Strict):
    """Where the motion of kernel and weights is followed."""

    experiment: str
    methods: Several[str]
    optimizers: Several[str]
    widths: Sourced[Several[Count]]
    seeds: Sourced[Count]
    stage_steps: Sourced[Count]


class FewPoints(Strict):
    """A number of points of its own for one experiment."""

    points: Sourced[Count]


class Rates(Strict):
    """Where the loss is measured against the bound and the linearised prediction."""

    experiments: Annotated[dict[str, FewPoints], Field(min_length=1)]
    methods: Several[str]
    widths: Sourced[Several[Count]]
    seeds: Sourced[Count]
    stage_steps: Sourced[Count]
    learning_rate: Sourced[PositiveNumber]
    log_every: Sourced[Count]


class Theory(Strict):
    """The tangent-kernel theory, measured."""

    s: Sourced[Several[HomotopyParameter]]
    width_limit: WidthLimit
    sample_number: SampleNumber
    motion: Motion
    rates: Rates
