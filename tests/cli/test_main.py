import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
import torch
from command_line import hrta, without_announcement
from job_examples import training_spec

from hrta import Problem, TwoLayer, ntk
from hrta.ntk.eigenvalues import spectrum
from hrta.problems.files import read_problem, write_problem
from hrta.problems.targets import make_problem
from hrta.study.config.problem_sources import SampledProblem
from hrta.study.experiments import ensembles


def test_data_writes_the_problem_and_its_checksum(tmp_path):
    file = tmp_path / "sine3d.parquet"
    done = hrta("data", "sine3d", "--points", 27, "--test-points", 5, "--output", file)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    expected = make_problem("sine3d", 27, 5)
    np.testing.assert_array_equal(read_problem(file).x_test, expected.x_test)
    assert (tmp_path / "sine3d.parquet.sha256").exists()


TRAIN = "train --problem sine1d --points 10 --test-points 4 --width 8 --stage-steps 5 --seeds 3"


def test_train_writes_what_the_package_computes_twice_the_same(tmp_path):
    options = [*TRAIN.split(), "--method", "relu=1,1", "--method", "relaxation=1,1.5"]
    options += ["--optimizer", "nesterov", "--momentum", "0.8", "--learning-rate", "0.05"]
    options += ["--learning-rate", "0.01", "--engine", "auto"]
    options += ["--decay", "0.5", "--log-every", "2", "--dtype", "float64", "--device", "cpu"]
    for name in ("a", "b"):
        done = hrta(*options, "--output", tmp_path / f"{name}.parquet")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    spec = training_spec(
        SampledProblem(name="sine1d", points=10, test_points=4),
        experiment="sine1d",
        width=8,
        stage_steps=5,
        optimizer="nesterov",
        learning_rates=[0.05, 0.01],
        momentum=0.8,
        decay=0.5,
        log_every=2,
        dtype="float64",
    )
    expected = ensembles.run(spec).table
    written = pd.read_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(written, expected, check_categorical=False)
    record = json.loads((tmp_path / "a.json").read_text())
    assert record["device"] == "cpu"
    assert record["dtype"] == "float64"
    assert record["spec"] == spec.model_dump(exclude_none=True)
    assert record["spec_hash"] == spec.digest
    assert record["diverged"] == []
    assert record["engine"] == ensembles.run(spec).facts["engine"]
    assert record["wall_time"] > 0


def test_train_prints_a_summary_and_plain_progress_lines():
    done = hrta(*TRAIN.split())
    assert done.returncode == 0
    assert "median final losses over 3 seeds" in done.stdout
    assert all(method in done.stdout for method in ("relu", "homotopy", "relaxation"))
    lines = without_announcement(done.stderr)
    assert lines[0] == "sine1d, adam, width 8: 0 of 10"
    assert lines[-1] == "sine1d, adam, width 8: 10 of 10"


def test_train_shows_a_bar_on_a_terminal():
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    command = [sys.executable, "-m", "hrta", *TRAIN.split()]
    with subprocess.Popen(command, stderr=end, stdout=subprocess.DEVNULL) as process:
        os.close(end)
        shown = b""
        while True:
            try:
                shown += os.read(terminal, 4096)
            except OSError:
                break
    os.close(terminal)
    assert process.returncode == 0
    assert b"100%" in shown
    assert b"sine1d, adam, width 8" in shown


def test_train_names_diverged_runs(tmp_path):
    options = [*TRAIN.split(), "--method", "relu=1,1", "--learning-rate", "1e30"]
    options += ["--optimizer", "gradient_descent", "--output", tmp_path / "a.parquet"]
    done = hrta(*options)
    assert done.returncode == 1
    assert "relu, learning rate 1e+30, seed 2 diverged at step" in done.stdout
    said = [line for line in without_announcement(done.stderr) if line.startswith("hrta: ")]
    where = f"the losses of all runs are in {tmp_path / 'a.parquet'}"
    assert said == [f"hrta: sine1d, gradient_descent, width 8: all 3 runs diverged; {where}"]
    assert len(pd.read_parquet(tmp_path / "a.parquet")) == 6
    record = json.loads((tmp_path / "a.json").read_text())
    assert [run["seed"] for run in record["diverged"]] == [0, 1, 2]


def test_some_diverged_runs_are_a_line_and_no_error():
    options = [*TRAIN.split(), "--method", "relu=1,1", "--optimizer", "gradient_descent"]
    done = hrta(*options, "--learning-rate", "1e30", "--learning-rate", "0.01")
    assert done.returncode == 0
    said = [line for line in without_announcement(done.stderr) if line.startswith("hrta: ")]
    assert said == ["hrta: sine1d, gradient_descent, width 8: 3 of 6 runs diverged"]


@pytest.mark.parametrize(
    "command",
    [
        "poisson --width 4 --points 4 --stage-steps 4 --log-every 2 --seeds 2",
        "lbfgs --width 4 --evaluations 4 --seeds 2",
        "laaf --hidden 4 --steps 4 --log-every 2 --seeds 2",
        "slopes --hidden 4 --steps 4 --solution-step 4 --log-every 2 --seeds 2",
    ],
)
def test_all_runs_diverged_is_an_error_of_every_command_that_trains(command):
    done = hrta(*command.split(), "--learning-rate", "1e38")
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith("hrta: ")
    assert line.endswith("runs diverged")
    assert ": all " in line


def test_diverged_runs_are_a_result_of_a_job_from_its_spec(tmp_path):
    options = [*TRAIN.split(), "--learning-rate", "1e30", "--optimizer", "gradient_descent"]
    assert hrta(*options, "--output", tmp_path / "a.parquet").returncode == 1
    spec = json.dumps(json.loads((tmp_path / "a.json").read_text())["spec"])
    done = hrta("run", spec, "--output", tmp_path / "b.parquet")
    assert done.returncode == 0
    assert "all 9 runs diverged" in done.stderr
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_ntk_writes_the_spectra(tmp_path):
    file = tmp_path / "spectra.parquet"
    options = "ntk --problem sine1d --points 10 --s 0.5,1.5 --width 30 --width 40 --seeds 2"
    done = hrta(*options.split(), "--output", file)
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(file)
    columns = "experiment problem kernel width seed s index eigenvalue"
    assert list(table.columns) == columns.split()
    x = make_problem("sine1d", 10, 1).x
    infinite = table[(table["kernel"] == "infinite") & (table["s"] == 1.5)]
    np.testing.assert_array_equal(infinite["eigenvalue"], spectrum(ntk.gram(x, 1.5)))
    assert infinite["width"].isna().all()
    finite = table[(table["width"] == 40) & (table["seed"] == 1)]
    network = TwoLayer.initialise([1], 1, 40, torch.float64)
    for s in (0.5, 1.5):
        matrix = ntk.empirical_gram(x, network.inner[0].numpy(), network.outer[0].numpy(), s)
        np.testing.assert_array_equal(finite.loc[finite["s"] == s, "eigenvalue"], spectrum(matrix))
    shown = hrta("ntk", "--points", 10)
    assert shown.returncode == 0
    assert "smallest and largest eigenvalue" in shown.stdout


@pytest.mark.parametrize(
    ("command", "columns", "summary"),
    [
        ("width --points 10 --width 20 --width 40 --seeds 2", "kernel_error", "exponent"),
        ("samples --points 10 --points 20 --points 30", "smallest", "exponent"),
        ("motion --points 10 --width 20 --seeds 2 --stage-steps 9", "inner_travel", "relaxation"),
        ("rates --points 10 --width 20 --seeds 2 --stage-steps 9", "predicted", "crossing"),
        ("jumps --points 10", "expected_loss", "relaxation"),
    ],
)
def test_theory_writes_a_table_or_says_what_it_comes_to(tmp_path, command, columns, summary):
    file = tmp_path / "table.parquet"
    done = hrta("theory", *command.split(), "--experiment", "mine", "--output", file)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    table = pd.read_parquet(file)
    assert columns in table
    assert set(table["experiment"]) == {"mine"}
    spec = json.loads(file.with_suffix(".json").read_text())["spec"]
    assert spec["job"] == f"theory {command.split()[0]}"
    assert (spec.get("problem") or spec["problems"][0])["name"] == "sine1d"
    shown = hrta("theory", *command.split())
    assert shown.returncode == 0, shown.stderr
    assert summary in shown.stdout


def test_coinciding_points_are_a_warning_of_one_line(tmp_path):
    x = np.array([[0.1], [0.1], [0.4], [0.9]])
    write_problem(Problem("twice", x, x[:, 0]), tmp_path / "twice.parquet")
    done = hrta("ntk", "--problem", tmp_path / "twice.parquet")
    assert done.returncode == 0
    warnings = [line for line in done.stderr.splitlines() if "are repeated" in line]
    assert warnings == [
        "hrta: tangent kernel: 1 of the 4 points are repeated; the smallest eigenvalue is 0"
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nonsense", "No such command 'nonsense'"),
        ("train --fast", "No such option: --fast"),
        ("train --width -5", "width: -5 given; must be greater than or equal to 1"),
        ("train --width many", "Invalid value for '--width'"),
        (
            "train --engine fast",
            "'--engine': 'fast' is not one of 'auto', 'torch'",
        ),
        ("train --optimizer sgd", "'sgd' is not one of 'gradient_descent', 'heavy_ball'"),
        ("train --problem cosine", "unknown problem 'cosine'; must be a .parquet file"),
        ("train --problem none.parquet", "none.parquet: there is no such file"),
        ("train --method relaxation", "must be NAME=S,S,..."),
        ("train --method relu=1,3", "methods.relu.1: 3.0 given; must be less than or equal to 2"),
        ("train --method relu=1 --method relu=1", "--method 'relu' is given twice"),
        ("train --method a=1,1 --method b=1", "the same number of steps"),
        ("train --learning-rate 0", "learning_rates.0: 0.0 given; must be greater than 0"),
        ("train --points 1", "points must be k^1 for an integer k >= 2; it is 1"),
        ("train --device cuda", "no usable CUDA GPU"),
        ("ntk --s 0,a", "Invalid value for '--s': '0,a' must be numbers separated by commas"),
        ("ntk --s 2.5", "s.0: 2.5 given; must be less than or equal to 2"),
        ("data cosine --output a.parquet", "unknown problem 'cosine'"),
        ("data sine1d", "Missing option '--output'"),
        ("data sine1d --output /proc/a/b.parquet", "/proc/a"),
        ("data sine1d --output a.json", "must be a file *.parquet"),
        ("train --output a.json", "must be a file *.parquet"),
        ("train --output new/a.parquet", "--output new/a.parquet: there is no folder new; make it"),
        ("anmin --output /sys/a.parquet", "/sys/a.parquet: /sys is not a writable folder: "),
        ("run {} --output new/a.parquet", "--output new/a.parquet: there is no folder new; make"),
        ("claims . --output new/claims", "--output new/claims: there is no folder new; make it"),
        ("evidence races a --output new/a.parquet", "there is no folder new; make it first"),
        ("ntk --output .", "must be a file *.parquet"),
        ("train --problem a.parquet --output a.parquet", "must not be a file that is read"),
        ("evidence races a.parquet --output ./a.parquet", "must not be a file that is read"),
        ("train --problem https://a.org/b.parquet", "must be that of a file on this machine"),
        ("train --csv https://a.org/b.csv --target y", "must be that of a file on this machine"),
        ("train --seeds 1000000000000", "seeds: 1000000000000 given; too many: 9.31e+06 GiB"),
        ("poisson --points 1000000000000", "points: 1000000000000 given; too many: 1.49e+04 GiB"),
        ("lbfgs --width 1000000000000", "hrta: not enough memory: networks: 20 with 300000000000"),
        ("train --width 1000000000000 --seeds 1", "not enough memory"),
        ("train --csv none.csv --target y", "none.csv: there is no such file"),
        ("train --csv none.csv", "--csv and --target must be given together"),
        ("train --csv a.csv --target y --openml b", "--csv and --openml cannot be combined"),
        (
            "train --problem iris --points 9",
            "--points: iris has a fixed number of points; leave it out",
        ),
        (
            "train --csv a.csv --target y --problem sine1d",
            "--problem has no effect beside --csv; leave it out",
        ),
        ("anmin --csv a.csv --target y --points 9", "--points has no effect beside --csv"),
        ("lbfgs --openml b --test-points 9", "--test-points has no effect beside --openml"),
        ("ntk --problem a.parquet --points 9", "--points has no effect beside the points of a.par"),
        ("data a.parquet --output b.parquet --seed 1", "--seed has no effect beside the points of"),
        ("data iris --output b.parquet --test-points 9", "--test-points has no effect beside iris"),
        ("train --momentum 0.9", "--momentum has no effect beside optimizer adam; heavy_ball and"),
        (
            "sweep --momentum 0.5 --optimizer gradient_descent",
            "--momentum has no effect beside optimizer gradient_descent",
        ),
        ("laaf --adaptive none --recovery 1", "--recovery has no effect beside --adaptive none"),
        ("slopes --adaptive none --scale 5", "--scale has no effect beside --adaptive none"),
        ("ntk --seeds 3", "--seeds has no effect without --width, at infinite width"),
        ("train --width 5 --width 9", "--width is given twice; it takes one value"),
        ("poisson --seeds 3 --decay 1 --seeds 3", "--seeds is given twice; it takes one value"),
        ("theory nonsense", "No such command 'nonsense'"),
        ("theory width --s 3", "s.0: 3.0 given; must be less than or equal to 2"),
        ("theory samples --points 1", "points must be k^1 for an integer k >= 2; it is 1"),
        ("theory samples --points 2000000", "points: 2.98e+04 GiB needed"),
        ("theory motion --method relaxation", "must be NAME=S,S,..."),
        ("theory motion --learning-rate -1", "learning_rate: -1.0 given; must be greater than 0"),
        ("theory rates --points 1", "points must be k^1 for an integer k >= 2; it is 1"),
        ("theory jumps --method relu=0,1", "the kernel must not be singular; it is at s = 0"),
        ("theory jumps --output .", "must be a file *.parquet"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    tmp_path, monkeypatch, in_this_process, arguments, message
):
    monkeypatch.chdir(tmp_path)
    done = in_this_process(*arguments.split())
    assert done.returncode != 0
    assert message in done.stderr
    (line,) = without_announcement(done.stderr)
    assert line.startswith("hrta: ")
    assert done.stdout == ""
    assert not list(tmp_path.iterdir())


def test_the_version_is_that_of_the_package():
    done = hrta("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"hrta {version('hrta')}\n", "")


def test_without_arguments_it_says_what_there_is():
    done = hrta()
    assert done.returncode == 0
    assert all(command in done.stdout for command in ("data", "train", "ntk"))


def test_a_training_whose_parent_is_killed_ends_and_leaves_nothing(tmp_path):
    file = tmp_path / "a.parquet"
    training = f"{sys.executable} -m hrta train --stage-steps 1000000 --output {file}"
    script = f"exec {training} --parent $PPID"
    parent = f"import subprocess; subprocess.run(['sh', '-c', {script!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", parent], stderr=subprocess.PIPE, text=True
    ) as process:
        assert any("0 of 2000000" in line for line in process.stderr)
        process.kill()
        # The pipe is at its end when the orphan, too, has closed it.
        started = time.monotonic()
        process.stderr.read()
        assert time.monotonic() - started < 60
    assert process.returncode == -signal.SIGKILL
    assert not list(tmp_path.iterdir())


def test_a_problem_of_ones_own_needs_no_test_set(tmp_path, small_problem):
    file = tmp_path / "mine.parquet"
    write_problem(Problem("mine", small_problem.x, small_problem.y), file)
    options = f"train --problem {file} --width 8 --stage-steps 5 --seeds 2"
    shown = hrta(*options.split())
    assert shown.returncode == 0, shown.stderr
    assert "relaxation" in shown.stdout
    done = hrta(*options.split(), "--output", tmp_path / "runs.parquet")
    assert done.returncode == 0, done.stderr
    assert "test_loss" not in pd.read_parquet(tmp_path / "runs.parquet")


def test_every_named_problem_has_a_default_size():
    for name in ("sine1d", "sine3d", "jump1d"):
        assert hrta("ntk", "--problem", name, "--s", "1").returncode == 0


def test_data_of_ones_own_is_trained_on(tmp_path):
    table = pd.DataFrame({"a": np.arange(20.0), "y": np.sin(np.arange(20.0))})
    table.to_csv(tmp_path / "mine.csv", index=False)
    options = "train --width 5 --stage-steps 4 --seeds 2 --output out.parquet --csv mine.csv"
    done = hrta(*options.split(), "--target", "y", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    written = pd.read_parquet(tmp_path / "out.parquet")
    assert set(written["problem"]) == {"mine"}
    assert written["test_loss"].notna().all()
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["spec"]["problem"] == {"source": "csv", "file": "mine.csv", "target": "y"}
    shown = hrta("train", "--problem", "diabetes", "--width", 5, "--stage-steps", 4, "--seeds", 2)
    assert shown.returncode == 0, shown.stderr
