"""The specs of all jobs as one type, told from one another by `job`."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from hrta.study.config.deep_specs import AdaptiveSpec, PoissonSpec, SlopesSpec
from hrta.study.config.race_spec import RaceSpec
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
    LbfgsSpec,
    SweepSpec,
    TrainingSpec,
)

AnySpec = Annotated[
    DataSpec
    | TrainingSpec
    | SweepSpec
    | SpectraSpec
    | WidthLimitSpec
    | SampleNumberSpec
    | MotionSpec
    | JumpsSpec
    | RatesSpec
    | AccelerationSpec
    | AlternationSpec
    | LbfgsSpec
    | AdaptiveSpec
    | SlopesSpec
    | PoissonSpec
    | RaceSpec,
    Field(discriminator="job"),
]
SPEC = TypeAdapter(AnySpec)
