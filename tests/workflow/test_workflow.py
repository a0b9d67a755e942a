"""The real DAG on the smoke configuration."""

import json
import re
import shutil
import subprocess

import pandas as pd
import pytest
from checkout import ROOT

from hrta.runtime.files import sha256

OF_RUNS = {
    "figure_jump1d",
    "figure_learning_rates_jump1d",
    "figure_learning_rates_sine1d",
    "figure_learning_rates_sine3d",
    "figure_sine1d",
    "figure_sine3d",
    "figure_width",
    "figure_width_all",
    "table_final_losses",
    "table_final_losses_all",
    "table_jumps",
}
OF_SPECTRA = {"figure_conditioning", "figure_eigenvalues", "figure_spectra"}
OF_TRAINING_AND_THEORY = {"figure_motion", "figure_rates_sine1d", "figure_rates_sine3d"}
OF_THEORY = {"figure_sample_number", "figure_width_limit"} | OF_TRAINING_AND_THEORY
OF_THE_RACE = {"figure_race", "figure_race_curves", "figure_sensitivity", "figure_anmin"}
OF_SIBLINGS = OF_THE_RACE | {"figure_slopes", "figure_acceleration"}
OF_POISSON = {"figure_poisson", "figure_poisson_product", "figure_poisson3d"}
OF_NETWORKS = {"figure_other_activations", "figure_deep_networks"}
OF_BEYOND = OF_POISSON | OF_NETWORKS | {"figure_schedules"}
NOTEBOOKS = {"figure_activations"} | OF_RUNS | OF_SPECTRA | OF_THEORY | OF_SIBLINGS | OF_BEYOND
TABLES = {"table_final_losses", "table_final_losses_all", "table_jumps"}
# Made from all results, whichever they are; so is the evidence.
AFTERWARDS = {"all", "total", "claims", "manifest", "crate_description", "report"}
TRAINED_FOR_THEORY = {
    "theory_motion_adam",
    "theory_motion_gradient_descent",
    *("theory_rates_sine1d_relu", "theory_rates_sine1d_homotopy", "theory_rates_sine1d_relaxation"),
    *("theory_rates_sine3d_relu", "theory_rates_sine3d_homotopy", "theory_rates_sine3d_relaxation"),
}
MEASURED = TRAINED_FOR_THEORY | {
    *(f"theory_jumps_{name}" for name in ("sine1d", "sine3d", "jump1d")),
    *(f"theory_{part}_{name}" for part in ("samples", "width") for name in ("sine1d", "sine3d")),
}
WITH_ADAM = {"slopes", "figure_slopes", "poisson"} | OF_POISSON | OF_NETWORKS
RACED = ("sine1d", "sine3d", "jump1d", "diabetes", "wine", "breast_cancer", "digits")
SHOW_EVERY_EXPERIMENT = {
    *("figure_conditioning", "figure_eigenvalues", "figure_spectra", "figure_width_all"),
    *("table_final_losses_all", "table_jumps"),
}
COLUMNS = "experiment problem width method optimizer learning_rate seed step stage s loss test_loss"


def test_everything_is_there(replicated):
    folder = replicated.made
    for name in NOTEBOOKS:
        for suffix in ("ipynb", "html"):
            assert (folder / f"notebooks/executed/{name}.{suffix}").stat().st_size > 1000
    figures = {path.name for path in (folder / "figures").iterdir()}
    stems = {"activations", "eigenvalues", "spectra", "width", "width_all"}
    of_theory = {"conditioning", "motion", "rates_sine1d", "rates_sine3d"}
    of_theory |= {"sample_number", "width_limit"}
    stems |= of_theory | {"motion_steps"}
    for name in ("sine1d", "sine3d", "jump1d"):
        stems |= {name, f"{name}_test", f"learning_rates_{name}"}
    raced = {f"race_{name}" for name in RACED}
    stems |= {"acceleration", "acceleration_travel", "anmin", "race", "sensitivity"} | raced
    of_poisson = {name.removeprefix("figure_") for name in OF_POISSON}
    of_networks = {name.removeprefix("figure_") for name in OF_NETWORKS}
    stems |= {"slopes", "slopes_curves", "schedules", "schedules_curves"} | of_networks
    stems |= of_poisson | {f"{name}_curves" for name in of_poisson}
    assert figures == {f"{stem}.{suffix}" for stem in stems for suffix in ("pdf", "png")}
    tables = {path.name for path in (folder / "tables").iterdir()}
    stems = of_theory | {"final_losses", "final_losses_all", "jumps", "ratios", "ratios_all"}
    stems |= {"acceleration", "acceleration_steps", "anmin", "gains", "leaderboard", "slopes"}
    stems |= {"tuned", "claims"} | raced | of_poisson | of_networks
    stems |= {f"{name}_{more}" for name in of_networks for more in ("counts", "losses", "tuned")}
    stems |= {"schedules", "schedules_counts", "schedules_ranks", "schedules_tuned"}
    assert tables == {f"{stem}.{suffix}" for stem in stems for suffix in ("csv", "md")}
    for name in RACED:
        recorded = (folder / f"data/{name}.parquet.sha256").read_text().split()[0]
        assert recorded == sha256(folder / f"data/{name}.parquet")


def test_results_are_tidy_and_tell_what_made_them(replicated):
    file = replicated.made / "results/runs/sine1d/adam/width32.parquet"
    table = pd.read_parquet(file)
    assert list(table.columns) == COLUMNS.split()
    assert set(table["method"]) == {"relu", "homotopy", "relaxation", "relaxed", "absolute"}
    assert set(table["seed"]) == {0, 1, 2, 3}
    assert table["step"].max() == 400
    last = table[table["step"] == 400].set_index(["method", "seed"])
    assert last.loc["relaxation", "s"].tolist() == [1.5] * 12  # 4 seeds, 3 learning rates
    record = json.loads(file.with_suffix(".json").read_text())
    keys = {"spec", "spec_hash", "versions", "device", "dtype", "wall_time", "diverged"}
    assert {*keys, "work_time", "threads"} <= set(record)


def test_every_method_races_from_the_same_weights_on_every_problem(replicated):
    files = sorted((replicated.made / "results/race").glob("*.parquet"))
    tables = {file.stem: pd.read_parquet(file) for file in files}
    tunings = {name: tables.pop(name) for name in list(tables) if name.endswith("_tuning")}
    assert set(tunings) == {f"{job}_tuning" for job in tables}
    starts = {}
    for name, table in pd.concat(tables.values()).groupby("method"):
        assert set(table["problem"]) == set(RACED)
        assert set(table["seed"]) == {0, 1, 2}
        assert table["evaluations"].max() <= 61
        assert table["seconds"].max() > 0
        first = table[(table["evaluations"] == 0) & (table["problem"] == "wine")]
        starts[name] = first.set_index("seed")["loss"].round(4)
    assert len(starts) == 19
    relu = ["adam", "sgd", "heavy_ball", "lbfgs", "layer_relu", "relaxation_adam"]
    assert all(starts[name].equals(starts["adam"]) for name in relu)
    tuning = pd.concat(tunings.values())
    assert tuning.groupby(["problem", "width", "method"])["candidate"].nunique().eq(12).all()
    assert not set(tuning["seed"]) & {0, 1, 2}


def test_methods_start_from_the_same_weights(replicated):
    table = pd.read_parquet(replicated.made / "results/runs/sine3d/adam/width8.parquet")
    start = table[table["step"] == 0].set_index(["learning_rate", "seed", "method"])
    start = start["loss"].unstack()
    assert start["relu"].equals(start["relaxation"].rename("relu"))
    assert start["relaxed"].nunique() == 4  # one for each seed, whatever the learning rate


def test_a_second_run_does_nothing(replicated):
    before = replicated.files()
    done = replicated.snakemake()
    assert done.returncode == 0
    assert "Nothing to be done" in done.stderr + done.stdout
    assert replicated.files() == before


@pytest.fixture
def edited(replicated):
    """Lets a test edit a file and puts it back."""
    changed = {}

    def edit(name, old, new):
        changed[name] = (replicated.folder / name).read_text()
        replicated.edit(name, old, new)
        rerun = set(replicated.planned()) - AFTERWARDS
        return {rule for rule in rerun if not rule.startswith("evidence_")}

    yield edit
    for name, text in changed.items():
        (replicated.folder / name).write_text(text)


def test_editing_a_plot_reruns_only_notebooks(edited):
    drawn = OF_RUNS - TABLES
    assert (
        edited("hrta/study/analysis/figures/training.py", '"markersize": 3', '"markersize": 4')
        == drawn
    )


def test_editing_the_style_reruns_whatever_has_it(edited):
    assert edited(
        "hrta/study/analysis/figures/style.py", '"lines.linewidth": 1.2', '"lines.linewidth": 1.3'
    ) == (NOTEBOOKS - TABLES)


@pytest.mark.parametrize(
    ("module", "old", "new", "more"),
    [
        ("objectives/two_layer", "two-layer regression", "two-layer fit", set()),
        ("optimizers", "0.9, 0.999, 1e-8", "0.9, 0.99, 1e-8", WITH_ADAM),
        ("engines/engine", "An ensemble in training", "An ensemble trained", WITH_ADAM),
        ("kernels/one_dimensional", "sums from both ends", "sums from both sides", set()),
    ],
)
def test_editing_the_trainer_reruns_training(edited, module, old, new, more):
    rerun = edited(f"hrta/training/{module}.py", old, new)
    trained = {"train", "race", "acceleration", "figure_acceleration", "figure_schedules"}
    trained |= OF_THE_RACE | OF_RUNS
    assert rerun == trained | TRAINED_FOR_THEORY | OF_TRAINING_AND_THEORY | more


def test_editing_a_siblings_method_reruns_only_it(replicated, edited):
    rerun = edited("hrta/anmin.py", "2**22", "2**21")
    assert rerun == {"anmin", "race"} | OF_THE_RACE
    assert replicated.planned()["race"] == 1
    rerun = edited(
        "config/replication.yaml", "adaptive: layer, recovery: 1}", "adaptive: layer, recovery: 2}"
    )
    assert {"slopes", "figure_slopes"} <= rerun
    assert replicated.planned()["slopes"] == 1


def test_editing_the_kernel_theory_reruns_no_training(edited):
    rerun = edited("hrta/ntk/arc_cosine.py", "SMALL = 2.0**-10", "SMALL = 2.0**-11")
    accelerated = {"acceleration", "figure_acceleration"}
    assert rerun == {"spectra", "table_jumps"} | accelerated | MEASURED | OF_SPECTRA | OF_THEORY


def test_editing_one_notebook_reruns_only_it(edited):
    assert edited("notebooks/spectra.ipynb", "0.5, 1", "0.6, 1") == {"figure_spectra"}


def test_changing_a_number_reruns_what_it_touches(edited):
    rerun = edited("config/replication.yaml", "[0.001, 0.003", "[0.002, 0.003")
    assert rerun == {"train", "theory_motion_adam", "figure_motion"} | OF_RUNS


def test_a_new_function_reruns_nothing_else(replicated, edited):
    function = '''@target(inputs=1, low=0, high=1)
def mine(x: np.ndarray) -> np.ndarray:
    """x^2."""
    return x[:, 0] ** 2


def make_problem('''
    assert edited("hrta/problems/targets.py", "def make_problem(", function) == set()
    entry = """experiments:
  mine:
    label: x²
    paper: false
    problem: mine
    points: {value: 20, source: ours}
    test_points: {value: 10, source: ours}
    widths: {value: [8], source: ours}
    methods: [relu, relaxation]
    optimizers: [adam]
"""
    rerun = edited("config/replication.yaml", "experiments:\n", entry)
    # Whatever shows all experiments shows it, too; nothing is trained but it.
    own = {"figure_mine", "figure_learning_rates_mine", "theory_jumps_mine"}
    assert rerun == {"data", "train", "spectra"} | own | SHOW_EVERY_EXPERIMENT
    assert replicated.planned()["train"] == 1


def test_changing_a_problem_reruns_what_shows_it(edited):
    rerun = edited("hrta/problems/targets.py", "low=-3, high=3", "low=-2, high=3")
    own = {"figure_jump1d", "figure_learning_rates_jump1d", "theory_jumps_jump1d"}
    own |= {"race", "slopes", "figure_slopes", "figure_schedules"} | OF_THE_RACE | OF_NETWORKS
    assert rerun == {"data", "train", "spectra"} | own | SHOW_EVERY_EXPERIMENT


@pytest.mark.parametrize("target", ["figure_sine1d", "table_final_losses", "figure_motion"])
def test_every_item_can_be_asked_for_by_name(replicated, target):
    assert replicated.planned(target, options=("--forcerun", target))[target] == 1


def test_the_paper_needs_no_other_experiment(checkout):
    planned = checkout.planned("paper")
    assert planned["train"] == 8  # two experiments, two widths, two optimizers
    assert not any("jump1d" in rule or rule.endswith("_all") for rule in planned)


def test_a_folder_can_be_moved(replicated, tmp_path):
    before = replicated.folder, replicated.made
    replicated.folder = before[0].rename(tmp_path / "elsewhere")
    replicated.made = replicated.folder / before[1].relative_to(before[0])
    try:
        assert replicated.planned() == {}
    finally:
        replicated.folder.rename(before[0])
        replicated.folder, replicated.made = before


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "[50, 200, 1000], unit",
            "[50, -200], unit",
            "widths.value.1: -200 given; must be greater",
        ),
        ("problem: sine1d", "problem: cosine", "experiments.sine1d.problem: 'cosine' given; "),
        ("methods: [relu, ho", "methods: [relu, no", "experiments.sine1d.methods: 'nomotopy' giv"),
        ("s: [1, 1.5]", "s: [1, 2.5]", "methods.relaxation.s.1: 2.5 given; must be less"),
        ("  decay:", "  deacy:", "training.deacy: unknown key; allowed are stage_steps, decay, "),
        (
            "experiments:\n  sine1d:\n",
            "experiments:\n  width: {label: w, paper: false, problem: sine1d, points: {value: 10,"
            " source: ours}, test_points: {value: 5, source: ours}, widths: {value: [8], source:"
            " ours}, methods: [relu], optimizers: [adam]}\n  sine1d:\n",
            "experiments.width: a figure has this name already",
        ),
        pytest.param(
            *("device: auto", "device: cuda", "device: 'cuda' given; there is no usable CUDA GPU"),
            marks=pytest.mark.skipif(bool(shutil.which("nvidia-smi")), reason="there may be a GPU"),
        ),
        ("grid: descent, job", "grid: fine, job", "grid: 'fine' given; allowed are descent"),
        ("device: auto", "device: gpu", "device: 'gpu' given; must be 'auto', 'cpu' or"),
    ],
)
def test_a_wrong_configuration_is_one_line_and_touches_nothing(checkout, old, new, line):
    checkout.edit("config/replication.yaml", old, new)
    (checkout.folder / "config/none.yaml").write_text("{}\n")
    before = {path for path in checkout.folder.rglob("*") if ".snakemake" not in path.parts}
    done = checkout.snakemake(config=("config/none.yaml",))
    assert done.returncode != 0
    said = [text for text in done.stderr.splitlines() if text.startswith("config: ")]
    assert len(said) == 1
    assert line in said[0]
    assert "Traceback" not in done.stderr
    after = {path for path in checkout.folder.rglob("*") if ".snakemake" not in path.parts}
    assert after == before


@pytest.mark.parametrize("name", ["paper", "results/runs/sine1d/adam/width8.parquet", "notebooks"])
def test_a_target_right_after_the_files_of_the_configuration_is_one_line(checkout, name):
    for made in ("results/runs/sine1d/adam/width8.parquet",):
        (checkout.folder / made).parent.mkdir(parents=True)
        (checkout.folder / made).write_bytes(b"PAR1")
    command = ["snakemake", "--cores", "1", "--dry-run", "--configfile", "config/smoke.yaml", name]
    done = subprocess.run(command, cwd=checkout.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if not line.startswith("Using workflow spec")]
    assert said == [
        f"snakemake: --configfile: {name} is not a YAML or JSON file; write -- before the names of "
        "targets: snakemake ... --configfile mine.yaml -- NAME"
    ]


@pytest.mark.parametrize(
    "before", [("--configfile=config/smoke.yaml",), ("--configfile", "a.yaml", "b.yaml", "--")]
)
def test_other_ways_to_name_a_target_work(checkout, before):
    for name in ("a.yaml", "b.yaml"):
        shutil.copy(checkout.folder / "config/smoke.yaml", checkout.folder / name)
    command = ["snakemake", "--cores", "1", "--dry-run", *before, "figure_activations"]
    done = subprocess.run(command, cwd=checkout.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^figure_activations +1$", done.stdout + done.stderr, flags=re.MULTILINE)


def test_the_rules_may_be_included_in_any_order(checkout):
    before = checkout.planned("all", options=("--forceall",))
    snakefile = checkout.folder / "Snakefile"
    text = snakefile.read_text()
    includes = re.findall(r"^include: .*$", text, flags=re.MULTILINE)
    assert len(includes) == len(list((checkout.folder / "workflow/rules").glob("*.smk"))) <= 9
    turned = dict(zip(includes, reversed(includes), strict=True))
    snakefile.write_text(re.sub(r"^include: .*$", lambda line: turned[line[0]], text, flags=re.M))
    assert checkout.planned("all", options=("--forceall",)) == before


def test_rule_files_are_short():
    files = {path: path.read_text().count("\n") for path in (ROOT / "workflow/rules").iterdir()}
    assert max(files.values()) <= 150
    assert sum(files.values()) + (ROOT / "Snakefile").read_text().count("\n") <= 500


def test_an_environment_for_each_rule_is_refused_in_one_line(checkout):
    done = checkout.snakemake(
        "paper", options=("--dry-run", "--software-deployment-method", "conda")
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert (
        "workflow: --software-deployment-method is not supported; all rules use one environment"
        in done.stderr
    )


def test_every_name_in_the_readme_is_a_target(replicated):
    readme = (ROOT / "README.md").read_text()
    names = set(
        re.findall(r"`((?:figure|table)_\w+|paper|theory|siblings|beyond|all)`", readme)
    ) - {"figure_runge"}
    done = replicated.snakemake(options=("--list-rules",))
    assert names <= set(done.stdout.split())
    assert names >= NOTEBOOKS
