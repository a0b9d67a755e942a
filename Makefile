# make replicate | verify | reference | profile | crate | readme | pages | test | test-workflow |
# test-slow | smoke | chaos | attack | gpu | bench | bench-activations | bench-gram | bench-kernel |
# bench-scheduling | lint | format | lock | clean; each makes its environment first. CORES=4 limits
# the cores, CONFIG=my.yaml lays a configuration over config/replication.yaml, KILLS=40 is for make
# chaos and attack, MINUTES=5 for attack; make bench DEVICE=cuda times the engines on a GPU.

BIN := .venv/bin
READY := .venv/.ready
JAX_READY := .venv-jax/.ready
NT_READY := .venv-nt/.ready
CORES ?= all
DEVICE ?= cpu
KILLS ?= 20
REFERENCE ?= data/reference
MINUTES ?= 60

# The first Python on the path that is new enough, as the interpreter behind any environment that
# is active now (which may be the one to be made anew); or PYTHON=/path/to/python.
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.version_info < (3, 11) and sys.exit(1); print(sys._base_executable)' \
	2>/dev/null && break; done)
endif

# For what the commands below start in turn.
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONPATH
unexport PYTHONHOME

.PHONY: env replicate verify reference profile crate readme pages smoke bench bench-gram
.PHONY: gpu bench-activations bench-kernel bench-scheduling test test-workflow test-slow chaos attack lint format lock clean
.DEFAULT_GOAL := replicate

env: $(READY)

# uv, the installer, comes hash-checked from the lock itself; it then installs the rest. Compiled
# here, once: where Python may not keep what it compiles, every job would wait 4 s for it.
$(READY): requirements.lock
	@test -n "$(PYTHON)" || { echo "make env: no Python 3.11 or newer on the PATH; set PYTHON=/path/to/python" >&2; exit 1; }
	rm -rf .venv
	"$(PYTHON)" -m venv .venv
	awk '/^uv==/ {keep = 1} keep {print} keep && !/\\$$/ {exit}' requirements.lock > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline --editable .
	touch $(READY)

replicate: $(READY)
	$(BIN)/snakemake --cores $(CORES) $(if $(CONFIG),--configfile $(CONFIG))

# What `make replicate` found, number by number against data/reference.
verify: $(READY)
	$(BIN)/python -m hrta verify results/evidence data/reference --results results

# The reference anew, from what `make replicate` found; REFERENCE=data/reference/intel for another.
reference: $(READY)
	$(BIN)/python -m hrta reference results/evidence $(REFERENCE) --results results \
		$(addprefix --keep ,$(wildcard tables/claims.csv))

# Where the time of `make replicate` went, and how long it takes on other numbers of cores.
profile: $(READY)
	$(BIN)/python -m hrta profile

# All of it, with how each file was made, as a zip for Zenodo or WorkflowHub: results/crate.zip.
crate: $(READY)
	$(BIN)/snakemake --cores $(CORES) $(if $(CONFIG),--configfile $(CONFIG)) -- crate

# In a folder of its own, so that it never touches the results of a full replication.
smoke: $(READY)
	mkdir -p results/smoke
	$(BIN)/snakemake --cores $(CORES) --directory results/smoke --configfile config/smoke.yaml

# The claims in README.md and the choices in docs/guide.md, from the evidence that is kept.
readme: $(READY)
	$(BIN)/python -m hrta claims data/reference --readme README.md --guide docs/guide.md

# What the code in the guide prints, and the API reference from the docstrings.
pages: $(READY)
	$(BIN)/python tests/code_blocks.py docs/guide.md
	$(BIN)/python tests/api_reference.py

# Side by side with JAX, which has an environment of its own; where that cannot be made, without.
bench: $(READY)
	-@$(MAKE) --no-print-directory $(JAX_READY)
	$(BIN)/python -m benchmarks.training --device $(DEVICE)

$(JAX_READY): benchmarks/requirements-jax.txt | $(READY)
	rm -rf .venv-jax
	"$(PYTHON)" -m venv .venv-jax
	$(BIN)/uv pip install --quiet --python .venv-jax/bin/python --requirement benchmarks/requirements-jax.txt
	touch $(JAX_READY)

# Everything that needs a GPU: results/gpu/report.md says what it found.
gpu: $(READY)
	-@$(MAKE) --no-print-directory $(JAX_READY)
	$(BIN)/python tests/gpu/gpu_run.py

# sigma_s beside the activations of torch, forward and backward.
bench-activations: $(READY)
	$(BIN)/python -m benchmarks.activations --device $(DEVICE)

# The Gram matrix of infinite width beside google/neural-tangents.
bench-gram: $(NT_READY)
	$(BIN)/python -m benchmarks.gram

# The GPU kernel as compiled: registers, instructions, and the time that follows; needs no GPU.
bench-kernel: $(READY)
	$(BIN)/python -m benchmarks.gpu_kernel

# What the scheduler costs a sweep of many small trainings.
bench-scheduling: $(READY)
	$(BIN)/python -m benchmarks.scheduling

# Without what its requirements ask for besides, tensorflow for one, which the kernels do not need.
$(NT_READY): benchmarks/requirements-neural-tangents.txt | $(READY)
	rm -rf .venv-nt
	$(BIN)/uv venv --quiet --python 3.11 .venv-nt
	$(BIN)/uv pip install --quiet --no-deps --python .venv-nt/bin/python --requirement benchmarks/requirements-neural-tangents.txt
	touch $(NT_READY)

# A worker for each core; torch's threads would get in their way.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(if $(filter all,$(CORES)),logical,$(CORES))

# A file of tests for each worker.
test: $(READY) lint
	$(PYTEST) --ignore tests/workflow --dist loadfile

# The real DAG: many tests read what the smoke run has made, others kill and break runs of their own.
test-workflow: smoke
	$(PYTEST) tests/workflow

# The tests that take minutes: see docs/architecture.md.
test-slow: smoke
	$(PYTEST) -m slow

# Kills jobs and the workflow at random moments, then compares with an undisturbed run.
chaos: $(READY)
	$(BIN)/python tests/workflow/chaos.py --kills $(KILLS)

# Odd folders, damaged files, full disks, kills, and MINUTES of fuzzing: see docs/reliability.md.
attack: $(READY)
	$(BIN)/python tests/workflow/attack.py --kills $(KILLS) --minutes $(MINUTES)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/python tests/workflow/lint.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

lock: $(READY)
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --extra dev pyproject.toml --output-file requirements.lock

# The results of the smoke run and the environments; those of the full replication stay.
clean:
	rm -rf results/smoke .venv .venv-jax .venv-nt
