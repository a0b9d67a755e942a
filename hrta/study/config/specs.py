"""The specs of all jobs as one type, discriminated by `job`."""

from typing import Annotated, Union

from pydantic import ConfigDict, Field, TypeAdapter

from hrta.study.config.base_spec import Spec
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

# The type of each kind of job.
SPEC_TYPES: dict[str, type[Spec]] = {
    each.model_fields["job"].default: each
    for each in (
        DataSpec,
        TrainingSpec,
        SweepSpec,
        SpectraSpec,
        WidthLimitSpec,
        SampleNumberSpec,
        MotionSpec,
        JumpsSpec,
        RatesSpec,
        AccelerationSpec,
        AlternationSpec,
        LbfgsSpec,
        AdaptiveSpec,
        SlopesSpec,
        PoissonSpec,
        RaceSpec,
    )
}
# Validates a spec of any type.
SPEC = TypeAdapter(
    Annotated[Union[*SPEC_TYPES.values()], Field(discriminator="job")],
    config=ConfigDict(defer_build=True),
)
