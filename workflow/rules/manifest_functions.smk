# What the manifest and the crate are about: all jobs that are needed by `rule all` and are of
# rules included before this file. What is made from the manifest comes after it.

from functools import cache
from itertools import chain

MADE_BEFORE = list(workflow.rules)


def made_by(file):
    """The rule, of those before, that makes a file, and its wildcards; nothing for a source."""
    for producer in MADE_BEFORE:
        if any(output.match(file) for output in producer.output):
            return producer, producer.get_wildcards(file)
    return None


@cache
def recorded_jobs():
    """Of each job: its rule, outputs and benchmark."""
    jobs, seen = [], set()
    waiting = [str(file) for file in workflow.get_rule("all").expand_input({})[0]]
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


def recorded_jobs_as_json(wildcards):
    return json.dumps(recorded_jobs(), separators=(",", ":"))


def configuration_files(wildcards):
    """The replication's configuration, and what is laid over it."""
    base = Path(workflow.basedir, "config/replication.yaml")
    given = dict.fromkeys(Path(file).absolute() for file in (base, *workflow.configfiles))
    return [os.path.relpath(file) for file in given]
