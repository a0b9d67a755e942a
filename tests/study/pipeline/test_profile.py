from datetime import UTC, datetime, timedelta
from math import isnan, nan

import pytest
from command_line import hrta
from job_examples import training_spec

from hrta.study.config.problem_sources import SampledProblem
from hrta.study.pipeline.manifest import PLACE, Artifact, Environment, Job, Manifest
from hrta.study.pipeline.profile import BENCHMARKS, by_kind, kind_of, profile, tasks_of
from hrta.study.pipeline.scheduling import Task, critical_path

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
SPEC = training_spec(SampledProblem(name="sine1d", points=10, test_points=4)).model_dump()
DATA = Job(
    rule="data",
    outputs=["data/sine1d.parquet", "data/sine1d.parquet.sha256"],
    started=BEGIN,
    ended=BEGIN + timedelta(seconds=3),
)
TRAINED = Job(
    rule="train",
    outputs=["results/runs/sine1d/adam/width11.parquet", "results/runs/sine1d/adam/width11.json"],
    inputs={"hrta/schedules.py": "0", "data/sine1d.parquet": "1", "data/sine1d.parquet.sha256": ""},
    result={"spec": SPEC, "wall_time": 19.0, "work_time": 15.0, "threads": 2},
    benchmark={"s": 20.0, "h:m:s": "0:00:20", "max_rss": 900.4},
)
DRAWN = Job(
    rule="figure_sine1d",
    outputs=["figures/sine1d.pdf", "figures/sine1d.png"],
    inputs={"results/runs/sine1d/adam/width11.parquet": "2"},
    benchmark={"s": 7.0, "h:m:s": "0:00:07", "max_rss": "NA"},
)


def manifest(*jobs):
    """A manifest of these jobs."""
    made = [(output, place) for place, job in enumerate(jobs) for output in job.outputs]
    return Manifest(
        made=BEGIN,
        code=".",
        commit=None,
        modified=None,
        configuration={},
        environment=Environment(python="3", packages={}, platform="", cpu=""),
        jobs=list(jobs),
        artifacts={output: Artifact(sha256="0", size=0, job=place) for output, place in made},
    )


def write_benchmark(folder, rule, seconds):
    """The benchmark of a job that is not in the manifest."""
    file = folder / BENCHMARKS / f"{rule}.tsv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:09\t200\n")


def test_a_job_becomes_a_task(tmp_path):
    drawn, data, trained = tasks_of(manifest(DRAWN, DATA, TRAINED), tmp_path)
    assert trained == Task(
        name=TRAINED.outputs[0],
        kind="train",
        total=20.0,
        needs=(1,),
        work=15.0,
        memory=900.4,
        threads=2,
        priority=110,  # width times points
    )
    # Without a benchmark the time is that between the records of Snakemake.
    assert (data.total, data.needs, data.priority, data.threads) == (3.0, (), 0, 1)
    assert (drawn.total, drawn.needs, drawn.kind) == (7.0, (2,), "notebooks")
    assert isnan(drawn.memory)
    assert isnan(drawn.work)


def test_what_is_made_from_the_manifest_comes_last(tmp_path):
    for rule, seconds in (("manifest", 4), ("crate_description", 2), ("report", 9)):
        write_benchmark(tmp_path, rule, seconds)
    tasks = tasks_of(manifest(DATA, TRAINED, DRAWN), tmp_path)
    assert [(task.total, task.memory) for task in tasks[3:]] == [(4, 200), (2, 200), (9, 200)]
    assert [task.needs for task in tasks[3:]] == [(0, 1, 2), (0, 1, 2, 3), (0, 1, 2, 3)]
    names = [task.kind for task in critical_path(tasks)]
    assert names == ["data", "train", "notebooks", "manifest", "report"]


@pytest.mark.parametrize(
    ("rule", "output", "kind"),
    [
        ("train", "results/runs/sine1d/adam/width50.parquet", "train"),
        ("race", "results/depth/relu_2.parquet", "race, depth"),
        ("theory_rates_sine1d_relu", "results/theory/rates/sine1d/relu.parquet", "theory, rates"),
        ("figure_race", "figures/race.pdf", "notebooks"),
        ("table_jumps", "tables/jumps.md", "notebooks"),
        ("evidence_races", "results/evidence/races.parquet", "evidence"),
        ("sweep_batch", "results/sweep/adam/batch000.parquet", "sweep_batch"),
    ],
)
def test_jobs_are_of_the_kind_of_their_rule(rule, output, kind):
    assert kind_of(Job(rule=rule, outputs=[output])) == kind


def test_times_are_added_up_by_kind():
    tasks = [
        Task("a", "train", 60.0, work=45.0, memory=10.0, threads=2),
        Task("b", "train", 30.0, work=24.0, memory=nan),
        Task("c", "data", 6.0, work=3.0),
        Task("d", "data", 12.0),
    ]
    train, data = by_kind(tasks).to_dict("records")
    assert train == {
        "kind": "train",
        "jobs": 2,
        "core_minutes": 2.5,
        "startup_minutes": 0.6,
        "work_minutes": 1.9,
        "mean": 45.0,
        "largest": 60.0,
        "memory": 10.0,
    }
    assert (data["jobs"], data["mean"], data["largest"]) == (2, 9.0, 12.0)
    assert data["core_minutes"] == pytest.approx(0.3)
    # One of the two has not recorded it.
    assert isnan(data["startup_minutes"])
    assert isnan(data["work_minutes"])


def rows(text, heading):
    """The cells of the table below a heading."""
    table = [line for line in text.split(heading)[1].split("###")[0].splitlines() if "|" in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_the_profile_has_four_tables(tmp_path):
    write_benchmark(tmp_path, "manifest", 4)
    nothing = Job(rule="claims", outputs=["tables/claims.csv"])
    text = profile(manifest(DATA, TRAINED, DRAWN, nothing), tmp_path, [1, 2])
    assert rows(text, "### Time by kind of job") == [
        ["train", "1", "0.7", "74.1%", "0.2", "0.5", "20.0", "20.0", "900"],
        ["notebooks", "1", "0.1", "13.0%", "–", "–", "7.0", "7.0", "–"],
        ["manifest", "1", "0.1", "7.4%", "–", "–", "4.0", "4.0", "200"],
        ["data", "1", "0.1", "5.6%", "–", "–", "3.0", "3.0", "–"],
        ["claims", "1", "0.0", "0.0%", "–", "–", "0.0", "0.0", "–"],
        ["all", "5", "0.9", "100.0%", "–", "–", "6.8", "20.0", "900"],
    ]
    assert "1 of 5 jobs have recorded how long their work took. Their start-up is 0.2 of" in text
    assert "Snakemake recorded: data (1).\n" in text
    assert "Without a time, counted as 0 s: claims (1).\n" in text
    assert "Not counted: crate_description, report.\n" in text
    assert "\n4 jobs, 0.6 min.\n" in text
    assert rows(text, "### Critical path") == [
        ["data/sine1d.parquet", "data", "–", "3.0", "0.1"],
        [TRAINED.outputs[0], "train", "5.0", "20.0", "0.4"],
        ["figures/sine1d.pdf", "notebooks", "–", "7.0", "0.5"],
        ["manifest", "manifest", "–", "4.0", "0.6"],
    ]
    assert rows(text, "### Simulated runs") == [
        ["1", "0.6", "0.6", "100%"],
        ["2", "0.6", "0.6", "79%"],
    ]
    assert rows(text, "### Single items") == [
        ["figures/sine1d.pdf", "3", "0.5"],
        ["tables/claims.csv", "1", "0.0"],
    ]


def write(folder, made):
    """Write a manifest where a run has it."""
    (folder / PLACE).parent.mkdir(parents=True, exist_ok=True)
    (folder / PLACE).write_text(made.model_dump_json())


def test_the_command_profiles_a_run(tmp_path):
    made = manifest(DATA, TRAINED, DRAWN)
    write(tmp_path, made)
    done = hrta("profile", "--cores", 3, "--cores", 5, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == profile(made, tmp_path, [3, 5]) + "\n"
    done = hrta("profile", tmp_path / PLACE)
    assert (done.returncode, done.stderr) == (0, "")
    cores = [row[0] for row in rows(done.stdout, "### Simulated runs")]
    assert cores == ["2", "4", "8", "16", "64"]


@pytest.mark.parametrize(
    ("jobs", "arguments", "message"),
    [
        ([TRAINED], ["none.json"], "none.json: there is no such manifest; `make replicate`"),
        ([TRAINED], ["--cores", "0"], "Invalid value for '--cores'"),
        ([DATA], [], "no job of the manifest has a benchmark; make the run again"),
        ([], [], "no job of the manifest has a benchmark; make the run again"),
        (
            [TRAINED.model_copy(update={"result": {"spec": {"job": "train"}}})],
            [],
            "runs/sine1d/adam/width11: train.stage_steps: Field required (and 10 more)",
        ),
    ],
)
def test_a_run_that_cannot_be_profiled_is_one_line(tmp_path, jobs, arguments, message):
    write(tmp_path, manifest(*jobs))
    done = hrta("profile", *arguments, cwd=tmp_path)
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.startswith("hrta: ")
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr
