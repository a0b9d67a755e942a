"""The configuration of the measurements of the tangent-kernel theory."""

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
    """The comparison of the kernels of finite networks with infinite width."""

    experiments: Several[str]
    widths: Sourced[Several[Count]]
    seeds: Sourced[Count]


class ManyPoints(Strict):
    """Several numbers of points of one experiment."""

    points: Sourced[Several[Count]]


class SampleNumber(Strict):
    """The eigenvalues as functions of the number of points."""

    experiments: Annotated[dict[str, ManyPoints], Field(min_length=1)]


class Motion(Strict):
    """The motion of kernel and weights during training."""

    experiment: str
    methods: Several[str]
    optimizers: Several[str]
    widths: Sourced[Several[Count]]
    seeds: Sourced[Count]
    stage_steps: Sourced[Count]


class FewPoints(Strict):
    """Another number of points for one experiment."""

    points: Sourced[Count]


class Rates(Strict):
    """The comparison of the loss with the bound and the linearised prediction."""

    experiments: Annotated[dict[str, FewPoints], Field(min_length=1)]
    methods: Several[str]
    widths: Sourced[Several[Count]]
    seeds: Sourced[Count]
    stage_steps: Sourced[Count]
    learning_rate: Sourced[PositiveNumber]
    log_every: Sourced[Count]


class Theory(Strict):
    """The measurements of the tangent-kernel theory."""

    s: Sourced[Several[HomotopyParameter]]
    width_limit: WidthLimit
    sample_number: SampleNumber
    motion: Motion
    rates: Rates
