"""Which modules a job needs, without importing any of them."""

import subprocess
import sys
from importlib.util import find_spec

import pytest
from config_examples import REPLICATION, laid_over

from hrta.study.config.jobs import SPEC_TYPES, make_jobs
from hrta.study.config.replication import check_config
from hrta.study.experiments.registry import engine_modules_of, module_of, modules_of

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


@pytest.mark.parametrize(
    ("name", "on_cpu", "on_gpu"),
    [
        ("runs/sine1d/adam/width50", "engines.numba_engine", "engines.triton_engine"),
        ("theory/rates/sine1d/relu", "engines.numba_engine", "engines.triton_engine"),
        ("race/adam", "engines.numba_engine", "engines.triton_engine"),
        ("race/slopes_relu", "engines.adaptive_engine", "objectives.adaptive_loss"),
        ("poisson/poisson_grid", "engines.ritz_engine", "objectives.ritz_loss"),
        ("slopes/layer", "engines.adaptive_engine", "objectives.adaptive_loss"),
        ("spectra/sine1d", None, None),
        ("race/anmin", None, None),
    ],
)
def test_the_engine_is_that_of_the_machine(name, on_cpu, on_gpu):
    for automatic, module in (("numba", on_cpu), ("triton", on_gpu)):
        expected = [f"hrta.training.{module}"] if module else []
        assert engine_modules_of(JOBS[name], automatic) == expected


def test_the_engine_of_the_settings_has_priority():
    spec = JOBS["runs/sine1d/adam/width50"].model_copy(update={"engine": "torch"})
    modules = ["hrta.training.objectives.two_layer_loss"]
    assert engine_modules_of(spec, "triton") == engine_modules_of(spec, "numba") == modules
    assert module_of(spec) == "hrta.study.experiments.ensembles"


def test_neither_specs_nor_their_modules_names_need_torch():
    code = "import sys, hrta.study.config.jobs; "
    code += "import hrta.study.experiments.registry, hrta.cli.main; "
    code += "assert not {'torch', 'numba', 'scipy', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
