# What the manifest and the crate are about: all jobs that are needed by `rule all` and are of
# rules included before this file. What is made from the manifest comes after it.

from functools import cache
from itertools import chain

MADE_BEFORE = list(workflow.rules)


def made_by(file, among=MADE_BEFORE):
    """The rule, of these, that makes a file, and its wildcards; nothing for a source."""
    for producer in among:
        if any(output.match(file) for output in producer.output):
            return producer, producer.get_wildcards(file)
    return None


def wanted_files():
    """What `rule all` asks for."""
    return [str(file) for file in workflow.get_rule("all").expand_input({})[0]]


@cache
def recorded_jobs():
    """Of each job: its rule, outputs and benchmark."""
    jobs, seen = [], set()
    waiting = wanted_files()
    while waiting:
        file = waiting.pop()
        made = file not in seen and made_by(file)
        seen.add(file)
        if made:
            producer, wildcards = made
            outputs = [str(output) for output in producer.expand_output(wildcards)[0]]
            seen.update(outputs)
            waiting += [str(given) for given in producer.expand_input(wildcards)[0]]
            benchmark = producer.expand_benchmark(wildcards)
            job = {"rule": producer.name, "outputs": outputs}
            jobs.append(job | ({"benchmark": str(benchmark)} if benchmark else {}))
    return sorted(jobs, key=lambda job: job["outputs"])


def recorded_files(wildcards):
    """All that these jobs make."""
    return list(chain.from_iterable(job["outputs"] for job in recorded_jobs()))


def later_files(wildcards):
    """What is asked for beyond that and beyond its descriptions: the report."""
    after = [made for made in workflow.rules if made not in MADE_BEFORE]
    descriptions = {*rules.manifest.output, *rules.crate_description.output}
    makers = [made_by(file, after) for file in wanted_files() if file not in descriptions]
    return [
        str(output)
        for producer, wildcards in filter(None, makers)
        for output in producer.expand_output(wildcards)[0]
    ]


def recorded_jobs_as_json(wildcards):
    return json.dumps(recorded_jobs(), separators=(",", ":"))


def configuration_files(wildcards):
    """The replication's configuration, and what is laid over it."""
    base = Path(workflow.basedir, "config/replication.yaml")
    given = dict.fromkeys(Path(file).absolute() for file in (base, *workflow.configfiles))
    return [os.path.relpath(file) for file in given]


# The workflow itself, as it goes into the crate beside what it made.
CODE = (
    *("CHANGELOG.md", "CITATION.cff", "LICENSE", "Makefile", "README.md", "Snakefile"),
    *("benchmarks", "config", "data/reference", "docs", "environment.yml", "hrta", "notebooks"),
    *("profiles", "pyproject.toml", "requirements.lock", "tests", "workflow"),
)
NOT_CODE = {"__pycache__", ".ipynb_checkpoints", "executed"}


def code_files(wildcards):
    """The workflow's own files, without caches."""
    base, files = Path(workflow.basedir), []
    for at in [base / name for name in CODE]:
        within = sorted(at.glob("**/*")) if at.is_dir() else [at]
        files += [file for file in within if file.is_file()]
    own = [file for file in files if not NOT_CODE & set(file.relative_to(base).parts)]
    return [os.path.relpath(file) for file in own]
