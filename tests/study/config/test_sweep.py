import copy

import pytest
import yaml
from config_examples import CONFIG, REPLICATION
from snakemake.utils import update_config

from hrta.study.config.mistakes import ConfigError
from hrta.study.config.replication import check_config

SWEEP = yaml.safe_load((CONFIG / "sweep.yaml").read_text())


def with_sweep(**changes):
    """The replication with the sweep laid over it, some of its keys changed."""
    config = copy.deepcopy(REPLICATION)
    update_config(config, copy.deepcopy(SWEEP))
    config["sweep"] |= changes
    return config


def test_the_replication_has_no_sweep():
    assert check_config(REPLICATION).sweep is None


def test_a_thousand_ensembles_in_batches():
    sweep = check_config(with_sweep()).sweep
    every = [
        (optimizer, ensemble.experiment, ensemble.width, ensemble.learning_rate, ensemble.method)
        for optimizer, batches in sweep.batches.items()
        for batch in batches
        for ensemble in batch
    ]
    assert len(every) == len(set(every)) == 1000
    assert {len(batch) for batches in sweep.batches.values() for batch in batches} == {sweep.batch}
    assert every[0] == ("adam", "sine1d", 10, 0.0003, "quarter")
    assert every[-1] == ("gradient_descent", "sine3d", 200, 3.0, "relaxation_to2")


def test_a_further_experiment_leaves_full_batches_as_they_were():
    before = check_config(with_sweep(batch=70)).sweep.batches
    more = ["sine1d", "sine3d", "jump1d"]
    after = check_config(with_sweep(batch=70, experiments=more)).sweep.batches
    for optimizer, batches in before.items():
        assert len(batches[-1]) == 500 % 70
        assert after[optimizer][: len(batches) - 1] == batches[:-1]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"batch": 0}, "sweep.batch: 0 given; must be greater than or equal to 1"),
        ({"batch": 1001}, "sweep.batch: 1001 given; must be less than or equal to 1000"),
        ({"experiments": ["cosine"]}, "sweep.experiments: 'cosine' given; allowed are sine1d, si"),
        (
            {"learning_rates": {"nesterov": {"value": [0.1], "source": "ours"}}},
            "sweep.learning_rates: 'nesterov' given; allowed are adam, gradient_descent",
        ),
        (
            {
                "methods": {
                    "relu": {"label": "1", "s": [1], "source": "ours"},
                    "late": {"label": "2", "s": [1, 2], "source": "ours"},
                }
            },
            "sweep.methods: {'relu': 1, 'late': 2} given; all must have the same number of stages",
        ),
        ({"width": 3}, "sweep.width: unknown key; allowed are experiments, widths"),
    ],
)
def test_a_mistake_is_one_line(changes, line):
    with pytest.raises(ConfigError) as mistake:
        check_config(with_sweep(**changes))
    assert str(mistake.value).startswith(f"config: {line}")
    assert "\n" not in str(mistake.value)
