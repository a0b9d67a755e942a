"""The tables of the experiments have the columns of the schema."""

import json

import pytest

from hrta.problems import datasets
from hrta.problems.poisson import make_problem as make_poisson
from hrta.problems.targets import make_problem
from hrta.study.analysis import schema
from hrta.study.config.contestants import Rules, read_entry
from hrta.study.experiments.acceleration import acceleration_table
from hrta.study.experiments.alternation import anmin_table
from hrta.study.experiments.ensembles import Ensemble, train_ensemble
from hrta.study.experiments.jumps import jump_table
from hrta.study.experiments.kernel_motion import kernel_motion_table
from hrta.study.experiments.poisson import ritz_table
from hrta.study.experiments.race import race
from hrta.study.experiments.rates import rates_table
from hrta.study.experiments.sample_number import sample_number_table
from hrta.study.experiments.slopes import laaf_table
from hrta.study.experiments.spectra import spectra_table
from hrta.study.experiments.width_limit import width_limit_table

PROBLEM = make_problem("sine1d", 6, 3)
METHODS = {"relu": [1, 1], "relaxation": [1, 1.5]}
ENTRY = {
    "method": {"trainer": "perceptron", "base": "tanh", "hidden": 1, "s": [1]},
    "grid": {"learning_rate": [0.1]},
}


def raced():
    rules = Rules(evaluations=4, tuning_seeds=2, seeds=1)
    entry = read_entry(json.dumps(ENTRY))
    return race(datasets.load("digits_classes"), "tanh", entry, [4], rules)


def solved():
    return ritz_table(make_poisson("cosines"), "e", METHODS, [0], [0.1], 4, 9, "grid", 2, 1.0, 1)


def found():
    variants = {"fixed": {"adaptive": "none", "recovery": 0}}
    return laaf_table(PROBLEM, "e", variants, [3], "tanh", [0], 2, [2], 0.1, 10.0, 1)


@pytest.mark.parametrize(
    ("make", "tables"),
    [
        (
            lambda: train_ensemble(PROBLEM, Ensemble("e", 4, METHODS, 2, [0]))[:1],
            [schema.TRAINING],
        ),
        (solved, [schema.POISSON, schema.POISSON_SOLUTIONS]),
        (raced, [schema.RACE, schema.TUNING]),
        (found, [schema.SLOPES, schema.SLOPE_SOLUTIONS]),
        (lambda: [acceleration_table(PROBLEM, "e", [4], [0], 4)], [schema.ACCELERATION]),
        (lambda: [spectra_table(PROBLEM, "e", [1], [4], [0])], [schema.SPECTRA]),
        (lambda: [width_limit_table(PROBLEM, "e", [1], [4], [0])], [schema.WIDTH_LIMIT]),
        (lambda: [sample_number_table([PROBLEM], "e", [1])], [schema.SAMPLE_NUMBER]),
        (
            lambda: [
                kernel_motion_table(PROBLEM, "e", METHODS, [4], [0], 2, "gradient_descent", 0.1)
            ],
            [schema.MOTION],
        ),
        (lambda: [rates_table(PROBLEM, "e", METHODS, [4], [0], 2, 0.1, 1)], [schema.RATES]),
        (lambda: [jump_table(PROBLEM, "e", METHODS)], [schema.JUMPS]),
        (lambda: [anmin_table(datasets.load("wine"), 4, [0], 1)], [schema.ANMIN]),
    ],
)
def test_tables_have_the_columns_of_the_schema(make, tables):
    for table, columns in zip(make(), tables, strict=True):
        assert set(table) == {*columns.key, *columns.measured}
        assert not table.duplicated(list(columns.key)).any()
