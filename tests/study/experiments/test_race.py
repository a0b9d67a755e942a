import numpy as np
import pandas as pd
import pytest
import torch
from job_examples import stored

from hrta import Problem, Schedule, Stage, TwoLayer, anmin, train
from hrta.networks.adaptive import AdaptiveNetworks
from hrta.networks.perceptron import Perceptron
from hrta.runtime.gpus import has_driver
from hrta.study.analysis.final import final_race_results
from hrta.study.config.race_methods import Entry
from hrta.study.config.race_spec import RacedProblem, RaceSpec
from hrta.study.experiments.race import FIRST_TUNING_SEED, device_of, run
from hrta.training import AdaptiveSlopes, lbfgs


def entry(method, **grid):
    return Entry(method=method, grid=grid)


def race(problem, name, entry, widths, evaluations=40, **changes):
    """Runs and tuning of one method on one problem."""
    raced = RacedProblem(problem=stored(problem), widths=widths, evaluations=evaluations)
    rest = {"tuning_seeds": 2, "seeds": 3, "decay": 0.5, "final_fraction": 0.02}
    outcome = run(RaceSpec(entries={name: entry}, problems=[raced], **rest | changes))
    return outcome.table, outcome.second


def gradient(optimizer="adam", s=(1,), **rest):
    return {"trainer": "gradient", "optimizer": optimizer, "s": list(s)} | rest


ENTRIES = {
    "adam": entry(gradient(s=(1, 1.5)), learning_rate=[0.01, 0.1, 1e300]),
    "sgd": entry(gradient("gradient_descent", batches=3), learning_rate=[0.1, 0.5]),
    "nesterov": entry(gradient("nesterov"), learning_rate=[0.1, 0.3], momentum=[0.5, 0.9]),
    "deep": entry(
        {"trainer": "perceptron", "base": "tanh", "hidden": 2, "s": [1, 1.5], "layerwise": True},
        learning_rate=[0.01, 0.1, 1e300],
    ),
    "lbfgs": entry({"trainer": "lbfgs"}, learning_rate=[0.5, 1], history_size=[3, 5]),
    "anmin": entry({"trainer": "anmin", "rounds": 4}, ridge=[1e-3, 1]),
    "laaf": entry(
        {"trainer": "laaf", "activation": "tanh", "adaptive": "neuron"},
        learning_rate=[0.01, 0.1],
        recovery=[0, 0.5],
    ),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_the_best_candidate_runs_from_fresh_seeds(small_problem, name):
    runs, tuning = race(small_problem, name, ENTRIES[name], [5, 8])
    candidates = ENTRIES[name].grid.candidates
    for width, tuned in tuning.groupby("width"):
        assert len(tuned) == 2 * len(candidates)
        assert set(tuned["seed"]) == {FIRST_TUNING_SEED, FIRST_TUNING_SEED + 1}
        losses = tuned.groupby("candidate")["loss"]
        medians = losses.median()[np.isfinite(losses.max())]
        assert set(tuned.loc[tuned["chosen"], "candidate"]) == {medians.idxmin()}
        here = runs[runs["width"] == width]
        assert set(here["seed"]) == {0, 1, 2}
    for row in tuning.itertuples():
        candidate = candidates[row.candidate]
        for parameter in ("learning_rate", "momentum", "ridge", "history_size", "recovery"):
            expected = getattr(candidate, parameter)
            value = getattr(row, parameter)
            assert value == expected or (expected is None and np.isnan(value))
    assert (runs.groupby(["width", "seed"])["evaluations"].max() <= 41).all()
    assert (runs.groupby(["width", "seed"])["seconds"].max() > 0).all()
    assert set(runs["method"]) == {name}
    assert runs[["loss", "test_loss"]].notna().all().all()


def final(runs, width):
    last = runs[runs["width"] == width].groupby("seed").tail(1).sort_values("seed")
    return last["loss"].to_numpy()


def chosen(tuning, width, parameter):
    return tuning[(tuning["width"] == width) & tuning["chosen"]][parameter].iloc[0]


def test_runs_are_those_of_the_package(small_problem):
    """Each trainer against its own function, called as anybody would."""
    start = TwoLayer.initialise(range(3), 2, 8)
    found = {name: race(small_problem, name, ENTRIES[name], [8]) for name in ENTRIES}

    def rate(name):
        return chosen(found[name][1], 8, "learning_rate")

    adam = train(
        small_problem,
        start,
        Schedule.constant_length([1, 1.5], 20),
        learning_rate=rate("adam"),
        decay=0.5,
    )
    expected = adam.history.groupby("run")["loss"].last()
    np.testing.assert_array_equal(final(found["adam"][0], 8), expected)
    # Seven points in batches of two: 7/2 updates for each evaluation of all of them.
    sgd = train(
        small_problem,
        start,
        Schedule.constant_length([1], 40 * 7 // 2),
        "gradient_descent",
        rate("sgd"),
        decay=0.5,
        batch_size=2,
        batch_seeds=range(3),
    )
    expected = sgd.history.groupby("run")["loss"].last()
    np.testing.assert_array_equal(final(found["sgd"][0], 8), expected)
    models = [Perceptron(2, 8, 2, base="tanh", seed=seed) for seed in range(3)]
    layers = [
        Schedule([Stage(s, steps) for s, steps in zip(stages, (13, 13, 14), strict=True)])
        for stages in ([1, 1.5, 1.5], [1, 1, 1.5])
    ]
    deep = train(small_problem, models, layers, learning_rate=rate("deep"), decay=0.5)
    expected = deep.history.groupby("run")["loss"].last()
    np.testing.assert_allclose(final(found["deep"][0], 8), expected, rtol=1e-5)
    remembered = int(chosen(found["lbfgs"][1], 8, "history_size"))
    searched, _ = lbfgs.train(small_problem, start, 40, rate("lbfgs"), remembered)
    expected = searched.groupby("run")["loss"].last()
    np.testing.assert_array_equal(final(found["lbfgs"][0], 8), expected)
    inner = start.inner[1].double().numpy()
    ridge = chosen(found["anmin"][1], 8, "ridge")
    alternated = anmin.train(small_problem.x, small_problem.y, inner, 4, ridge)
    np.testing.assert_allclose(
        final(found["anmin"][0], 8)[1], alternated.losses[-1] / 2, rtol=1e-12
    )
    recovery = chosen(found["laaf"][1], 8, "recovery")
    networks = AdaptiveNetworks.of_two_layer(start, "tanh", "neuron", 10.0)
    sloped = train(
        *(small_problem, networks, Schedule([Stage(1.0, 40)])),
        learning_rate=rate("laaf"),
        log_every=4,
        decay=0.5,
        objective=AdaptiveSlopes(recovery),
    ).history
    expected = sloped.groupby("run")["loss"].last() / 2
    np.testing.assert_array_equal(final(found["laaf"][0], 8), expected)


def test_the_loss_at_the_start_is_that_of_the_networks(small_problem):
    start = TwoLayer.initialise(range(3), 2, 8).predict(small_problem.x, 1.0)
    residual = start - torch.tensor(small_problem.y, dtype=torch.float32)
    expected = (residual**2).mean(dim=1) / 2
    for name in ("sgd", "nesterov", "lbfgs"):
        runs, _ = race(small_problem, name, ENTRIES[name], [8])
        first = runs.groupby("seed").head(1)
        assert (first["evaluations"] == 0).all()
        np.testing.assert_allclose(first["loss"], expected, rtol=1e-5)


def test_a_minibatch_counts_its_part(small_problem):
    runs, _ = race(small_problem, "sgd", ENTRIES["sgd"], [5])
    np.testing.assert_allclose(runs["evaluations"], runs["step"] * 2 / 7, rtol=1e-12)
    assert 39 < runs["evaluations"].max() <= 40


def test_what_diverges_is_not_chosen(small_problem):
    _, tuning = race(small_problem, "adam", ENTRIES["adam"], [5])
    diverged = tuning[tuning["learning_rate"] == 1e300]
    assert np.isinf(diverged["loss"]).all()
    assert not diverged["chosen"].any()


def test_a_candidate_with_which_any_run_diverged_is_taken_only_for_want_of_others(
    small_problem, monkeypatch
):
    """The best median is worth nothing if one run in three is lost."""
    losses = {0.1: [1e-9, 1e-9, np.inf], 0.2: [0.5, 0.5, 0.5], 0.3: [0.1, 0.9, 0.9]}

    def train(task):
        rows = [
            {"run": run, "step": 1, "evaluations": 1.0, "seconds": 1.0}
            | {"loss": losses[candidate.learning_rate][seed % 3]}
            for run, (candidate, seed) in enumerate(zip(task.candidates, task.seeds, strict=True))
        ]
        return pd.DataFrame(rows)

    monkeypatch.setattr("hrta.study.experiments.trainers.gradient.train", train)
    for rates, best in ([0.1, 0.2, 0.3], 0.2), ([0.1], 0.1):
        entrant = entry(gradient(), learning_rate=rates)
        _, tuning = race(small_problem, "a", entrant, [5], 1, tuning_seeds=3, seeds=1)
        assert set(tuning.loc[tuning["chosen"], "learning_rate"]) == {best}


def test_only_the_last_stage_is_the_answer(small_problem):
    runs, _ = race(small_problem, "deep", ENTRIES["deep"], [5])
    switched = runs.groupby("step")["answer"].agg(["min", "max"])
    assert (switched["min"] == switched["max"]).all()
    assert switched.index[switched["min"]].tolist() == [*range(26, 41)]


def classes():
    random = np.random.default_rng(2)
    x, y = random.normal(size=(29, 2)), np.arange(29) % 3
    return Problem("mine", x[:20], y[:20], x[20:], y[20:], classes=3)


def test_a_race_of_classes_tells_the_error(small_problem):
    runs, tuning = race(classes(), "deep", ENTRIES["deep"], [5])
    errors = runs["test_error"] * 9
    np.testing.assert_allclose(errors, errors.round(), atol=1e-5)
    assert errors.between(0, 9).all()
    assert errors.nunique() > 1
    # At the start the mean cross-entropy of softmax is not far from that of a guess.
    assert (runs.groupby("seed")["loss"].first() - np.log(3)).abs().max() < 1
    assert (tuning.loc[tuning["learning_rate"] == 1e300, "test_error"] == 1).all()
    final = final_race_results(runs)
    assert final["test_error"].notna().all()
    others, of_others = race(small_problem, "deep", ENTRIES["deep"], [5])
    assert "test_error" not in [*others, *of_others, *final_race_results(others)]


@pytest.mark.parametrize("name", sorted(set(ENTRIES) - {"deep"}))
def test_classes_are_no_numbers(name):
    with pytest.raises(ValueError, match=r"mine has classes; .*, classes need trainer perceptron"):
        race(classes(), name, ENTRIES[name], [5])


def test_a_singular_system_counts_as_divergence():
    problem = Problem("zeros", np.zeros((9, 2)), np.ones(9))
    singular = entry({"trainer": "anmin", "rounds": 2}, ridge=[1e-300])
    runs, tuning = race(problem, "anmin", singular, [4])
    assert np.isinf(runs["loss"]).all()
    assert runs["test_loss"].isna().all()
    assert np.isinf(final_race_results(runs)["loss"]).all()
    assert tuning["chosen"].all()


def test_progress_counts_widths(small_problem):
    seen = []
    raced = RacedProblem(problem=stored(small_problem), widths=[5, 6], evaluations=4)
    spec = RaceSpec(
        entries={name: ENTRIES[name] for name in ("sgd", "anmin")},
        problems=[raced],
        tuning_seeds=1,
        seeds=1,
        decay=0.5,
        final_fraction=0.02,
    )
    run(spec, lambda *done: seen.append(done))
    assert list(dict.fromkeys(seen)) == [(done, 4) for done in range(5)]


@pytest.mark.parametrize(
    ("names", "device", "lines"),
    [
        (["lbfgs"], "cpu", ["lbfgs: trained on the CPU, because its line search"]),
        (["anmin", "adam"], "cuda", ["anmin: trained on the CPU, because its solves"]),
        (["adam", "laaf", "deep"], "cuda", []),
    ],
)
def test_what_runs_on_the_cpu_says_so_where_there_is_a_gpu(
    small_problem, names, device, lines, monkeypatch, caplog
):
    monkeypatch.setattr("hrta.study.experiments.race.choose_device", lambda name: "cuda")
    raced = RacedProblem(problem=stored(small_problem), widths=[5], evaluations=40)
    spec = RaceSpec(
        entries={name: ENTRIES[name] for name in names},
        problems=[raced],
        tuning_seeds=2,
        seeds=3,
        decay=0.5,
        final_fraction=0.02,
    )
    assert device_of(spec) == device
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == len(lines)
    assert all(message.startswith(line) for message, line in zip(messages, lines, strict=True))


@pytest.mark.skipif(has_driver(), reason="there may be a GPU")
@pytest.mark.parametrize("name", ["lbfgs", "anmin"])
def test_what_needs_no_gpu_runs_where_there_is_none(small_problem, name):
    runs, _ = race(small_problem, name, ENTRIES[name], [5], device="cuda")
    assert np.isfinite(runs["loss"]).all()
    with pytest.raises(ValueError, match="there is no usable CUDA GPU here"):
        race(small_problem, "adam", ENTRIES["adam"], [5], device="cuda")
