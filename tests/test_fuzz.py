"""Random mistakes: a configuration, a checkpoint, a Parquet file, a command line.

Each is accepted, or refused by the error that the module names for it. `make attack` tries many
more: FUZZ_EXAMPLES.
"""

import contextlib
import copy
import io
import os
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from config_examples import laid_over
from hypothesis import given, settings
from hypothesis import strategies as st

from hrta import Schedule, Stage, TwoLayer, train
from hrta.cli.main import main
from hrta.problems.files import read_problem, write_problem
from hrta.problems.targets import make_problem
from hrta.runtime import checkpoints
from hrta.runtime.checkpoints import BrokenCheckpointError, ForeignCheckpointError
from hrta.runtime.files import UnreadableError, read_tables
from hrta.study.config.mistakes import ConfigError
from hrta.study.config.yaml_files import read_yaml
from hrta.study.pipeline.study import read_study

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
fuzzed = settings(max_examples=EXAMPLES, database=None)

# What people and programs put where something else belongs; no large numbers, which are work.
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.one_of(
    *(st.none(), st.booleans(), st.integers(-3, 40), st.floats(-10, 10), WORDS),
    st.sampled_from([float("nan"), float("inf"), -0.0, 1e-300, "1e-3", "{x}", "relu", "sine1d"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=4,
)
SMOKE = laid_over("smoke") | {"device": "cpu"}


@contextlib.contextmanager
def accepted_or_refused(about, *errors):
    """Only these errors may occur in the block, in one line that begins with what it is about."""
    try:
        yield
    except errors as error:
        said = str(error)
    else:
        return
    assert said.startswith(str(about))
    assert "\n" not in said


def places(part, *above):
    """The keys that lead to each value of nested mappings and lists."""
    inside = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in inside:
        yield *above, key
        if isinstance(value, dict | list):
            yield from places(value, *above, key)


@fuzzed
@given(st.data())
def test_a_configuration_is_accepted_or_refused_in_lines(data):
    config = copy.deepcopy(SMOKE)
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from(list(places(config))))
        part = config
        for key in above:
            part = part[key]
        if data.draw(st.booleans()):
            part[last] = data.draw(VALUES)
        elif isinstance(part, dict):
            part[data.draw(WORDS)] = part.pop(last)
        else:
            del part[last]
        if not isinstance(config, dict) or not config:
            return
    with contextlib.suppress(ConfigError):
        read_study(config, submitted=False)


@fuzzed
@given(st.one_of(WORDS, st.text("{}[]:,&*ab!|>-? \n\t'\"#%@", max_size=30)))
def test_yaml_is_read_or_refused_in_one_line(text):
    with accepted_or_refused("text", ConfigError):
        read_yaml(text, "text")


@st.composite
def damaged(draw, content):
    """The bytes of a file with some of them changed, cut off, doubled or put in."""
    start = draw(st.integers(0, len(content) - 1))
    end = draw(st.integers(start, min(len(content), start + 64)))
    put = draw(st.sampled_from([b"", content[start:end] * 2, bytes(end - start)]))
    tail = content[end:] if draw(st.booleans()) else b""
    return content[:start] + draw(st.one_of(st.just(put), st.binary(max_size=40))) + tail


def training(file, **options):
    """A small training with a checkpoint."""
    problem = make_problem("sine1d", 8, 3)
    networks = TwoLayer.initialise([0, 1] * 2, inputs=1, width=5)
    schedules = [Schedule([Stage(1, 30), Stage(s, 30)]) for s in (1, 1, 1.5, 1.5)]
    return train(problem, networks, schedules, checkpoint=file, **options)


class KilledError(Exception):
    """Training has been killed."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A checkpoint in the middle of the small training."""

    def kill(step, steps):
        if step > 40:
            raise KilledError

    file = tmp_path_factory.mktemp("checkpoint") / "state.npz"
    with patch.object(checkpoints, "WRITING_FRACTION", np.inf), pytest.raises(KilledError):
        training(file, progress=kill)
    return file


@fuzzed
@given(st.data())
def test_a_damaged_checkpoint_is_refused_in_one_line(checkpoint, tmp_path_factory, data):
    file = tmp_path_factory.mktemp("damaged") / "state.npz"
    file.write_bytes(data.draw(damaged(checkpoint.read_bytes())))
    with accepted_or_refused(file, BrokenCheckpointError, ForeignCheckpointError):
        training(file)


DTYPES = ["float64", "float32", "int64", "int32", "int8", "uint64", "bool", "complex64", "S3", "U3"]


@st.composite
def changed_array(draw, array):
    """An array with one value changed, of another dtype, or of another shape."""
    how = draw(st.sampled_from(["value", "dtype", "shape", "transposed", "missing"]))
    if how == "value" and array.size:
        array = array.copy()
        numbers = [0, -1, 1, 7, 2**31 - 1, -(2**31)]
        array.flat[draw(st.integers(0, array.size - 1))] = draw(st.sampled_from(numbers))
    elif how == "dtype":
        array = array.astype(draw(st.sampled_from(DTYPES)))
    elif how == "shape":
        array = np.resize(array, draw(st.lists(st.integers(0, 6), max_size=4)))
    elif how == "transposed":
        array = array.T
    return None if how == "missing" else array


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@fuzzed
@given(st.data())
def test_no_state_in_a_whole_checkpoint_ends_the_process(checkpoint, tmp_path_factory, data):
    with np.load(checkpoint) as arrays:
        state = dict(arrays)
    name = data.draw(st.sampled_from([name for name in state if name != "identity"]))
    state[name] = data.draw(changed_array(state[name]))
    if state[name] is None:
        del state[name]
    file = tmp_path_factory.mktemp("changed") / "state.npz"
    np.savez(file, **state)
    with accepted_or_refused(file, BrokenCheckpointError):
        training(file)


@pytest.fixture(scope="module")
def problem_file(tmp_path_factory):
    """A problem on disk."""
    file = tmp_path_factory.mktemp("problem") / "points.parquet"
    write_problem(make_problem("sine1d", 8, 3), file)
    return file


@fuzzed
@given(st.data())
def test_a_damaged_table_is_read_or_refused_in_one_line(problem_file, tmp_path_factory, data):
    file = tmp_path_factory.mktemp("table") / "points.parquet"
    file.write_bytes(data.draw(damaged(problem_file.read_bytes())))
    with accepted_or_refused(file, UnreadableError):
        read_tables(file)
    with accepted_or_refused("", ValueError):
        read_problem(file)


def test_a_damaged_table_whose_time_is_unchanged_fails_its_checksum(problem_file, tmp_path):
    write_problem(make_problem("sine1d", 8, 3), tmp_path / "points.parquet")
    content = bytearray(problem_file.read_bytes())
    content[len(content) // 3] ^= 1
    (tmp_path / "points.parquet").write_bytes(content)
    with pytest.raises(ValueError, match=r"points\.parquet"):
        read_problem(tmp_path / "points.parquet")


COMMANDS = ["train", "sweep", "ntk", "anmin", "lbfgs", "data", "run", "evidence", "info", "theory"]
ARGUMENTS = st.one_of(
    WORDS,
    st.sampled_from(
        ["nan", "-1", "0", "0.5", "1", "2", "4", "1,2", "a=1", "a=1,3", "sine1d", "{}"]
    ),
)
OPTIONS = ["--problem", "--points", "--width", "--seeds", "--method", "--s", "--learning-rate"]
OPTIONS += ["--optimizer", "--output", "--checkpoint", "--ridge", "--manifest", "--check", "--x"]
# Little work, where a command is accepted.
SMALL = {"train": ["--stage-steps", "2", "--points", "5"], "anmin": ["--rounds", "2"]}
SMALL |= {"sweep": ["--stage-steps", "2"], "lbfgs": ["--evaluations", "2"]}


@fuzzed
@given(
    st.sampled_from(COMMANDS),
    st.lists(st.tuples(st.sampled_from(OPTIONS), ARGUMENTS), max_size=3),
    st.lists(ARGUMENTS, max_size=2),
)
def test_a_command_line_ends_in_one_line(tmp_path_factory, command, options, arguments):
    words = [*SMALL.get(command, []), *(word for option in options for word in option), *arguments]
    output, errors = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    folder = tmp_path_factory.mktemp("command")
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        patch.object(sys, "argv", ["hrta", command, *words]),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    assert ended.value.code in (None, 0, 1, 2)
    said = [line for line in errors.getvalue().splitlines() if line.startswith("hrta: ")]
    assert "Traceback" not in errors.getvalue()
    if ended.value.code:
        assert said, errors.getvalue()
    assert not [path for path in Path(folder).rglob("*") if path.name.startswith(".")]
