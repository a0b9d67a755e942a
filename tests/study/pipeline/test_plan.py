import json
import re
import subprocess
import sys

import pytest
from studies import ROOT, read_config, study

from hrta.study.config.jobs import SPEC
from hrta.study.pipeline.study import read_study


@pytest.fixture(scope="module")
def plan():
    return study().plan


def changed(*keys, value):
    """The plan of the configuration with one value changed."""
    config = read_config() | {"device": "cpu"}
    part = config
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    return read_study(config, submitted=False).plan


def differing(plan, other):
    """The jobs whose specs differ, by the rest of the plan all of them."""
    assert set(plan) == set(other)
    return {name for name in plan if plan[name].spec != other[name].spec}


def test_every_spec_comes_back_from_its_command_line(plan):
    for job in plan.values():
        assert SPEC.validate_python(json.loads(job.spec.json_text)) == job.spec
        # Linux takes no argument of more, and the shell gets the whole command as one.
        assert len(job.spec.json_text) < 100_000


def test_jobs_are_chosen_by_kind_and_by_folder(plan):
    assert len(plan.of_kind("train")) == 22
    assert plan.tables("runs/sine1d", "theory/motion") == [
        *(f"results/runs/sine1d/adam/width{width}.parquet" for width in (50, 200, 1000)),
        *(
            f"results/runs/sine1d/gradient_descent/width{width}.parquet"
            for width in (50, 200, 1000)
        ),
        "results/theory/motion/adam.parquet",
        "results/theory/motion/gradient_descent.parquet",
    ]
    assert not set(plan.tables("race")) & set(plan.tables("schedules"))
    assert plan.second_tables("poisson")[0] == "results/poisson/poisson_grid_solutions.parquet"
    assert plan.raced("race", ["anmin", "sgd", "adam"]) == [
        f"results/race/{job}.parquet" for job in ("adam", "descent", "anmin")
    ]
    assert {job.name for job in plan.within("theory")} > {"theory/jumps/jump1d"}


def test_a_pattern_matches_the_names_of_its_kind_alone(plan):
    pattern = re.compile(plan.pattern("race"))
    matched = {name for name in plan if pattern.fullmatch(name)}
    assert matched == {job.name for job in plan.of_kind("race")}
    assert not re.match(plan.pattern("sweep"), "")
    assert len(study("sweep.yaml").plan.of_kind("sweep")) == 20


def test_points_that_a_job_reads_are_inputs(plan):
    assert plan["runs/sine3d/adam/width50"].problems == ["data/sine3d.parquet"]
    assert plan["poisson/poisson_grid"].problems == []
    assert plan["theory/width/sine1d"].problems == []  # sampled in the job
    assert plan["data/wine"].problems == []
    raced = plan["race/adam"]
    assert len(raced.problems) == 7
    assert raced.inputs == [*raced.sources, *raced.problems]
    assert "data/digits_classes.parquet" in plan.problems()
    assert len(plan.problems()) == 8


@pytest.mark.parametrize(
    ("name", "there", "not_there"),
    [
        ("data/sine1d", "hrta/problems/problem.py", "hrta/problems/targets.py"),
        ("data/wine", "hrta/problems/datasets.py", "hrta/problems/targets.py"),
        (
            *("runs/sine1d/adam/width50", "hrta/training/engines/numba_engine.py"),
            "hrta/training/engines/triton_engine.py",
        ),
        ("runs/sine1d/adam/width50", "hrta/training/optimizers.py", "hrta/ntk/eigenvalues.py"),
        ("spectra/sine1d", "hrta/ntk/eigenvalues.py", "hrta/training/optimizers.py"),
        ("theory/jumps/sine1d", "hrta/ntk/linearised.py", "hrta/training/optimizers.py"),
        ("theory/motion/adam", "hrta/training/optimizers.py", "hrta/anmin.py"),
        ("race/anmin", "hrta/anmin.py", "hrta/training/engines/numba_engine.py"),
        ("race/adam", "hrta/training/engines/numba_engine.py", "hrta/anmin.py"),
        ("anmin/wine", "hrta/anmin.py", "hrta/training/optimizers.py"),
        ("poisson/poisson_grid", "hrta/problems/poisson.py", "hrta/anmin.py"),
    ],
)
def test_sources_are_what_runs_the_job_and_no_more(plan, name, there, not_there, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert there in plan[name].sources
    assert not_there not in plan[name].sources
    no_job = ("hrta/study/analysis/figures", "hrta/study/claims", "hrta/study/pipeline", "hrta/cli")
    assert not [file for file in plan[name].sources if file.startswith(no_job)]


def test_a_gpu_trains_with_another_engine():
    plan = study().plan
    config = read_config() | {"device": "cuda"}
    on_gpu = read_study(config, submitted=True).plan
    name = "runs/sine1d/adam/width50"
    assert any(file.endswith("triton_engine.py") for file in on_gpu[name].sources)
    assert not any(file.endswith("numba_engine.py") for file in on_gpu[name].sources)
    assert plan["spectra/sine1d"].sources == on_gpu["spectra/sine1d"].sources
    asking = {job.spec.job for job in on_gpu.values() if job.gpu}
    assert asking == {
        *("train", "race", "poisson", "slopes", "acceleration"),
        *("theory width", "theory samples", "theory motion", "theory rates"),
    }
    assert not on_gpu["race/anmin"].gpu
    assert not on_gpu["race/lbfgs"].gpu
    assert not any(job.gpu for job in plan.values())


def test_only_what_is_resumable_has_a_checkpoint(plan):
    with_one = {job.spec.job for job in plan.values() if job.checkpoint}
    assert with_one == {"train", "race", "poisson"}
    names = [job.checkpoint for job in plan.values() if job.checkpoint]
    assert len(set(names)) == len(names)
    pattern = r"--checkpoint results/checkpoints/runs_sine1d_adam_width50_[0-9a-f]{12}\.npz"
    assert re.fullmatch(pattern, plan["runs/sine1d/adam/width50"].checkpoint)


def test_another_number_is_another_checkpoint(plan):
    name = "runs/sine1d/adam/width50"
    other = changed("training", "decay", "value", value=0.2)
    assert other[name].checkpoint != plan[name].checkpoint
    same = changed("experiments", "sine1d", "label", value="sine")
    assert same[name].checkpoint == plan[name].checkpoint


@pytest.mark.parametrize(
    ("keys", "value", "touched"),
    [
        (("experiments", "sine1d", "label"), "sine", r"(?!)"),
        (("competitors", "race", "methods", "adam", "label"), "A", r"(?!)"),
        (("competitors", "race", "targets", "value"), [0.1], r"(?!)"),
        (("training", "final_fraction", "value"), 0.1, r"(race|schedules|activations|depth)/.*"),
        (("theory", "motion", "seeds", "value"), 6, r"theory/motion/.*"),
        (("spectra", "seeds", "value"), 6, r"spectra/.*"),
        (("poisson", "problems", "poisson3d", "seeds", "value"), 6, r"poisson/poisson3d_.*"),
        (("competitors", "adaptive_slopes", "variants", "layer", "recovery"), 0.5, r"slopes/layer"),
        (("methods", "absolute", "s"), [2, 1.9], r"(runs|theory/jumps)/.*"),
        (
            ("optimizers", "adam", "learning_rates", "value"),
            [0.002, 0.004, 0.008],
            r"(runs/.*|theory/motion)/adam.*",
        ),
        (("competitors", "race", "methods", "anmin", "method", "rounds"), 20, r"race/anmin"),
        (
            *(("experiments", "jump1d", "points", "value"), 200),
            r"(data|spectra|theory/jumps)/jump1d|runs/jump1d/.*|slopes/.*|(race|schedules|activations|depth)/.*",
        ),
    ],
)
def test_a_changed_number_changes_the_specs_that_depend_on_it(plan, keys, value, touched):
    differ = differing(plan, changed(*keys, value=value))
    assert differ == {name for name in plan if re.fullmatch(touched, name)}


def test_what_takes_long_comes_first(plan):
    order = ["poisson/poisson_grid", "race/slopes_tanh", "depth/relu_5", "race/lbfgs"]
    priorities = [plan[name].priority for name in order]
    assert priorities == sorted(priorities, reverse=True)
    small, large = (plan[f"runs/sine3d/adam/width{width}"] for width in (50, 200))
    assert small.priority < large.priority == 200 * 125
    assert plan["theory/samples/sine1d"].memory == 500 + 17 * 10_000**2 // 10**6
    assert plan["theory/jumps/sine1d"].memory == 2000


def test_planning_imports_no_torch():
    ask = (
        "import sys\n"
        "import hrta.study.pipeline.study, hrta.study.pipeline.recorded\n"
        "sys.exit(sorted({'torch', 'numba', 'scipy', 'matplotlib', 'rocrate'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"
