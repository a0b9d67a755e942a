"""Which modules a job needs, without importing any of them."""

import subprocess
import sys
from importlib.util import find_spec

import pytest
from config_examples import REPLICATION, laid_over

from hrta.study.config.jobs import SPEC_TYPES, make_jobs
from hrta.study.config.replication import check_config
from hrta.study.experiments.registry import engine_of, module_of, modules_of

JOBS = make_jobs(check_config(REPLICATION)) | make_jobs(check_config(laid_over("sweep")))


def test_every_job_has_modules_that_exist():
    for spec in JOBS.values():
        for module in modules_of(spec, "numba"):
            assert find_spec(module), module
    assert {spec.job for spec in JOBS.values()} == set(SPEC_TYPES) - {"lbfgs", "laaf"}


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("runs/sine1d/adam/width50", ["experiments.ensembles", "engines.numba_engine"]),
        ("sweep/adam/batch000", ["experiments.sweep", "engines.numba_engine"]),
        ("theory/rates/sine1d/relu", ["experiments.rates", "engines.numba_engine"]),
        ("theory/jumps/sine1d", ["experiments.jumps"]),
        ("race/lbfgs", ["experiments.race", "trainers.lbfgs"]),
        ("race/adam", ["experiments.race", "trainers.gradient", "engines.numba_engine"]),
        ("depth/relu_2", ["experiments.race", "trainers.perceptron"]),
        ("acceleration/sine1d", ["experiments.acceleration", "engines.numba_engine"]),
        (
            "acceleration/wine",
            ["experiments.acceleration", "engines.numba_engine", "problems.datasets"],
        ),
        ("data/sine1d", ["experiments.data"]),
        ("data/wine", ["experiments.data", "problems.datasets"]),
    ],
)
def test_a_job_needs_its_own_modules_and_no_others(name, modules):
    rooms = {"experiments": "study.experiments", "trainers": "study.experiments.trainers"}
    rooms |= {"problems": "problems", "engines": "training.engines"}
    expected = []
    for module in modules:
        room, _, own = module.partition(".")
        expected.append(f"hrta.{rooms[room]}.{own}")
    assert modules_of(JOBS[name], "numba") == expected


def test_the_engine_is_that_of_the_settings_or_of_the_machine():
    spec = JOBS["runs/sine1d/adam/width50"]
    assert engine_of(spec, "triton") == "triton"
    assert engine_of(spec.model_copy(update={"engine": "torch"}), "triton") == "torch"
    assert engine_of(JOBS["theory/rates/sine1d/relu"], "triton") == "numba"
    assert engine_of(JOBS["spectra/sine1d"], "triton") is None
    assert module_of(spec) == "hrta.study.experiments.ensembles"


def test_neither_specs_nor_their_modules_names_need_torch():
    code = "import sys, hrta.study.config.jobs; "
    code += "import hrta.study.experiments.registry, hrta.cli.main; "
    code += "assert not {'torch', 'numba', 'scipy', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_torch_engine_brings_the_loss_that_it_minimises():
    spec = JOBS["runs/sine1d/adam/width50"].model_copy(update={"engine": "torch"})
    assert "hrta.training.objectives.two_layer_loss" in modules_of(spec, "numba")
