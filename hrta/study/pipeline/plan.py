"""The jobs of the plan: spec, files, sources, checkpoint, priority and memory of each."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from hrta.study.config.base_spec import Spec
from hrta.study.config.jobs import make_jobs
from hrta.study.config.race_spec import RaceSpec
from hrta.study.config.replication import Replication
from hrta.study.config.theory import SampleNumberSpec
from hrta.study.config.training import TrainingSpec
from hrta.study.experiments.registry import modules_of
from hrta.study.pipeline.sources import sources

# The module that writes every result.
WRITER = "hrta.runtime.files"
# What a process that uses a GPU needs besides [MB]: torch and its libraries.
GPU_MEMORY = 2000
# Long jobs first.
PRIORITIES = {"poisson": 10**7, "slopes": 10**6, "theory": 10**6}
RACE_COSTS = {"laaf": 4, "perceptron": 3, "anmin": 2, "gradient": 1, "lbfgs": 0}


@dataclass(frozen=True)
class Job:
    """A job that computes a result.

    Attributes:
        name: name of the result, such as runs/sine1d/adam/width50.
        spec: what is computed.
        automatic: the engine that `auto` selects where the job runs.
    """

    name: str
    spec: Spec
    automatic: str

    @property
    def table(self) -> str:
        """The file of the result."""
        return f"results/{self.name}.parquet"

    @property
    def plain_name(self) -> str:
        """The name without slashes, for rules and checkpoints."""
        return self.name.replace("/", "_")

    @property
    def second_table(self) -> str:
        """The file of the second table, of a job that writes two."""
        return f"results/{self.name}_{self.spec.second_table}.parquet"

    @property
    def problems(self) -> list[str]:
        """The files that the points are read from."""
        files = (source.file for source in self.spec.sources)
        return list(dict.fromkeys(file for file in files if file is not None))

    @cached_property
    def sources(self) -> list[str]:
        """The source files that the result depends on."""
        return sources(WRITER, *modules_of(self.spec, self.automatic))

    @property
    def inputs(self) -> list[str]:
        """All files that the result depends on."""
        return [*self.sources, *self.problems]

    @property
    def checkpoint(self) -> str:
        """The option that names the checkpoint; empty if the job writes none.

        The name contains a digest of the spec and the sources, so that a job never finds the
        checkpoint of another computation, which it would refuse.
        """
        if not self.spec.resumable:
            return ""
        digest = hashlib.sha256(self.spec.json_text.encode())
        for file in self.sources:
            digest.update(_content_digest(file))
        return f"--checkpoint results/checkpoints/{self.plain_name}_{digest.hexdigest()[:12]}.npz"

    @property
    def gpu(self) -> int:
        """The number of GPUs that the job requests."""
        return int(self.automatic == "triton" and self.spec.can_use_gpu)

    @property
    def priority(self) -> int:
        """Jobs with a larger priority start earlier, so that long jobs do not run last."""
        match self.spec:
            case TrainingSpec():
                return self.spec.width * self.spec.problem.points
            case RaceSpec():
                return 10**6 * max(RACE_COSTS[trainer] for trainer in self.spec.trainers)
        return PRIORITIES.get(self.name.split("/")[0], 0)

    @property
    def memory(self) -> int:
        """The memory of the job [MB]; that of Gram matrices grows with the number of points."""
        of_gpu = GPU_MEMORY * self.gpu
        if isinstance(self.spec, SampleNumberSpec):
            points = max(each.points for each in self.spec.problems)
            return 500 + 17 * points**2 // 10**6 + of_gpu
        return 2000 + of_gpu


@cache
def _content_digest(file: str) -> bytes:
    return hashlib.sha256(Path(file).read_bytes()).digest()


class Plan(dict[str, Job]):
    """All jobs, by the names of their results."""

    def __init__(self, settings: Replication, automatic: str) -> None:
        jobs = make_jobs(settings)
        super().__init__({name: Job(name, spec, automatic) for name, spec in jobs.items()})

    def of_kind(self, kind: str) -> list[Job]:
        """The jobs of a kind, such as train or theory motion."""
        return [job for job in self.values() if job.spec.job == kind]

    def pattern(self, kind: str) -> str:
        """A regular expression that matches the names of the jobs of a kind, and nothing else."""
        return "|".join(job.name for job in self.of_kind(kind)) or "(?!)"

    def within(self, *folders: str) -> list[Job]:
        """The jobs with results in these folders of results/, such as runs/sine1d."""
        jobs = self.values()
        return [job for at in folders for job in jobs if job.name.startswith(f"{at}/")]

    def tables(self, *folders: str) -> list[str]:
        """The files of all results in these folders."""
        return [job.table for job in self.within(*folders)]

    def second_tables(self, *folders: str) -> list[str]:
        """The files of all second tables in these folders."""
        return [job.second_table for job in self.within(*folders)]

    def raced(self, race: str, methods: Iterable[str]) -> list[str]:
        """The result files of the jobs of a race that have one of these methods."""
        wanted = set(methods)
        return [job.table for job in self.within(race) if wanted & set(job.spec.entries)]

    def problems(self) -> list[str]:
        """The files of points that any job reads."""
        return list(dict.fromkeys(file for job in self.values() for file in job.problems))
