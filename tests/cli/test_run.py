"""`hrta run`: every type of job of a tiny configuration, as its friendly command has it."""

import json
import sys

import pandas as pd
import pytest
from typer.testing import CliRunner

from hrta.cli import main as cli
from hrta.problems.targets import make_problem
from hrta.runtime.processes import cores
from hrta.study.analysis import schema
from hrta.study.config.jobs import SPEC

POINTS = "--points 12 --test-points 5"
STAGES = "--stage-steps 6 --method relu=1,1 --method relaxation=1,1.5"
ADAM = {
    "method": {"trainer": "gradient", "optimizer": "adam", "s": [1, 1.5]},
    "grid": {"learning_rate": [0.01, 0.1]},
}
ANMIN = {"method": {"trainer": "anmin", "rounds": 2}, "grid": {"ridge": [0.001, 1]}}
ENTRIES = json.dumps({"adam": ADAM, "anmin": ANMIN})
# The columns of the tables of each type of job.
TABLES = {
    "train": [schema.TRAINING],
    "sweep": [schema.TRAINING],
    "spectra": [schema.SPECTRA],
    "theory width": [schema.WIDTH_LIMIT],
    "theory samples": [schema.SAMPLE_NUMBER],
    "theory motion": [schema.MOTION],
    "theory jumps": [schema.JUMPS],
    "theory rates": [schema.RATES],
    "acceleration": [schema.ACCELERATION],
    "anmin": [schema.ANMIN],
    "slopes": [schema.SLOPES, schema.SLOPE_SOLUTIONS],
    "poisson": [schema.POISSON, schema.POISSON_SOLUTIONS],
    "race": [schema.RACE, schema.TUNING],
}
# What not every table has: there are no classes here.
OPTIONAL = {"test_error"}
# A friendly command for each type of job.
COMMANDS = {
    "data": f"data sine1d {POINTS} --seed 3",
    "train": f"train {POINTS} {STAGES} --width 5 --seeds 2 --log-every 3 --fixed-outer",
    "sweep": f"sweep {STAGES} --width 4 --width 5 --seeds 2 --log-every 3",
    "spectra": f"ntk {POINTS} --s 0.3,1.5 --width 7 --seeds 2",
    "theory width": f"theory width {POINTS} --width 7 --seeds 2 --s 0.1,1",
    "theory samples": "theory samples --points 5 --points 9 --s 1",
    "theory motion": f"theory motion {POINTS} {STAGES} --width 6 --seeds 2 --learning-rate 0.07",
    "theory jumps": f"theory jumps {POINTS} --method a=0.3,1.1",
    "theory rates": f"theory rates {POINTS} {STAGES} --width 6 --seeds 2 --log-every 4",
    "acceleration": "acceleration --points 8 --width 6 --seeds 2 --steps 9 --log-every 4",
    "anmin": f"anmin {POINTS} --width 5 --rounds 2 --seeds 2 --ridge 0.01",
    "lbfgs": f"lbfgs {POINTS} --width 5 --evaluations 12 --seeds 2 --s 1.1",
    "laaf": f"laaf {POINTS} --problem jump1d --hidden 4,3 --steps 6 --seeds 2 --log-every 3",
    "slopes": "slopes --points 12 --hidden 4,3 --steps 6 --solution-step 4 --seeds 2 --log-every 3",
    "poisson": f"poisson {STAGES} --width 5 --points 4 --seeds 2 --log-every 3 --decay 0.3",
    "race": f"race {ENTRIES.replace(' ', '')} --width 4 --evaluations 10 --seeds 2",
}


def hrta(*arguments):
    """The command line in this process."""
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def tables(folder):
    return {file.name: pd.read_parquet(file) for file in sorted(folder.glob("*.parquet"))}


@pytest.mark.parametrize("job", COMMANDS)
def test_a_job_is_the_same_from_its_spec_and_from_its_command(tmp_path, job):
    first, second = tmp_path / "command", tmp_path / "spec"
    first.mkdir(), second.mkdir()
    done = hrta(*COMMANDS[job].split(), "--output", first / "a.parquet")
    assert done.exception is None, done.output
    if job == "data":
        spec = {"job": "data", "problem": {"source": "sampled", "name": "sine1d"}}
        spec["problem"] |= {"points": 12, "test_points": 5, "seed": 3}
    else:
        record = json.loads((first / "a.json").read_text())
        spec = record["spec"]
        assert record["spec_hash"] == SPEC.validate_python(spec).digest
        assert 0 < record["work_time"] <= record["wall_time"]
        assert record["threads"] == cores()
        assert record["device"] == "cpu"
        assert record["versions"]["hrta"]
    assert spec["job"] == job
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(spec, indent=1))
    given = file if job in ("train", "race") else json.dumps(spec)
    checkpoint = []
    if SPEC.validate_python(spec).resumable:
        checkpoint = ["--checkpoint", second / "state.npz"]
    done = hrta("run", given, "--output", second / "a.parquet", *checkpoint)
    assert done.exception is None, done.output
    expected, found = tables(first), tables(second)
    assert [*found] == [*expected]
    for name, table in found.items():
        clocks = [column for column in table if column == "seconds"]
        pd.testing.assert_frame_equal(
            table.drop(columns=clocks), expected[name].drop(columns=clocks), check_exact=True
        )
    for table, columns in zip(found.values(), TABLES.get(job, []), strict=False):
        assert set(table) == {*columns.key, *columns.measured} - OPTIONAL
        assert not table.duplicated(list(columns.key)).any()
    written = {path.name for path in second.iterdir()}
    also = {"slopes": "solutions", "poisson": "solutions", "race": "tuning"}.get(job)
    names = {"a.parquet", "a.parquet.sha256" if job == "data" else "a.json"}
    assert written == names | ({f"a_{also}.parquet"} if also else set())


def test_there_is_a_command_for_every_job():
    (choices,) = (schema["discriminator"] for schema in [SPEC.json_schema()])
    assert set(COMMANDS) == set(choices["mapping"])


def test_without_output_it_says_what_the_result_comes_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = {"job": "theory jumps", "experiment": "mine", "methods": {"a": [1, 1.5]}}
    spec["problem"] = {"source": "sampled", "name": "sine1d", "points": 9}
    done = hrta("run", json.dumps(spec))
    assert done.exception is None, done.output
    assert "expected_loss" in done.stdout
    assert not list(tmp_path.iterdir())


def jumps(**changes):
    source = {"source": "sampled", "name": "sine1d", "points": 9, "test_points": 1}
    problem = source | changes.pop("problem", {})
    spec = {"job": "theory jumps", "experiment": "e", "methods": {"a": [1, 2]}, "problem": problem}
    return json.dumps({key: value for key, value in (spec | changes).items() if value is not ...})


DIGEST = make_problem("sine1d", 9, 1).digest


def test_points_must_be_those_of_the_spec(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = hrta("run", jumps(problem={"digest": DIGEST}), "--output", "a.parquet")
    assert done.exception is None, done.output
    hrta("data", "sine1d", *["--points", "10", "--output", "b.parquet"])
    for problem, message in (
        ({"digest": "0" * 64}, f"sine1d: the points are those of sine1d with digest {DIGEST[:12]}"),
        ({"digest": DIGEST, "file": "b.parquet"}, "b.parquet: the points are those of sine1d with"),
        ({"name": "jump1d", "file": "b.parquet"}, "b.parquet: the points are those of sine1d with"),
    ):
        done = hrta("run", jumps(problem=problem), "--output", "c.parquet")
        assert isinstance(done.exception, ValueError)
        assert message in str(done.exception)
        assert "; make the data again" in str(done.exception)
        assert "\n" not in str(done.exception)
    assert not (tmp_path / "c.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'spec'"),
        (["{"], "spec: not JSON (Expecting property name"),
        (['{"job": "fly"}'], "input tag 'fly' found using 'job' does not match any of"),
        (["{}"], "unable to extract tag using discriminator 'job'"),
        (["none.json"], "none.json: No such file or directory"),
        (["."], ".: Is a directory"),
        ([jumps(methods=...)], "spec: theory jumps.methods: Field required"),
        ([jumps(methods={})], "theory jumps.methods: {} given; dictionary should have at least 1"),
        ([jumps(methods={"a": 1})], "theory jumps.methods.a: 1 given; must be a valid list"),
        ([jumps(methods={"a": [3]})], "methods.a.0: 3 given; must be less than or equal to 2"),
        ([jumps(width=3)], "width: unknown key; allowed are job, experiment, problem, methods"),
        (
            [jumps(problem={"name": "moon"})],
            "problem: name must be one of sine1d, sine3d, jump1d; it is 'moon'",
        ),
        ([jumps(problem={"points": 0})], "points: 0 given; must be greater than or equal to 1"),
        ([jumps(problem={"points": 1})], "points must be k^1 for an integer k >= 2; it is 1"),
        ([jumps(problem={"source": "web"})], "input tag 'web' found using 'source'"),
        ([jumps(problem={"file": "none.parquet"})], "none.parquet: there is no such file"),
        ([jumps(), "--output", "a.csv"], "--output a.csv: must be a file *.parquet"),
        ([jumps(), "--checkpoint", "a.npz"], "a.npz: needs --output"),
        (
            [jumps(), "--output", "a.parquet", "--checkpoint", "b"],
            "b: must be a file *.npz",
        ),
        (
            [jumps(), "--output", "a.parquet", "--checkpoint", "b.npz"],
            "--checkpoint b.npz: job theory jumps writes no checkpoint",
        ),
        (
            [jumps(problem={"file": "a.parquet"}), "--output", "a.parquet"],
            "--output a.parquet: must not be a file that is read",
        ),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["hrta", "run", *arguments])
    monkeypatch.setattr("warnings.showwarning", print)  # main sets it
    monkeypatch.setattr(cli, "end_on_sigterm", lambda: None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code not in (0, None)
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("hrta: ")
    assert message in said.err
    assert said.out == ""
    assert not list(tmp_path.iterdir())
