# make replicate | test | smoke | lint | lock; each makes its environment first.
# CORES=4 limits the cores, CONFIG=my.yaml lays a configuration over config/replication.yaml.

VENV := .venv
BIN := $(abspath $(VENV))/bin
READY := $(VENV)/.ready
CORES ?= all
# The first Python on the path that is new enough; override with PYTHON=/path/to/python.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

export PATH := $(BIN):$(PATH)
unexport PYTHONPATH
unexport PYTHONHOME

.PHONY: env replicate smoke test lint format lock clean
.DEFAULT_GOAL := replicate

env: $(READY)

# uv, the installer, comes hash-checked from the lock itself; it then installs the rest.
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "make env: no Python 3.11 or newer on the PATH; set PYTHON=/path/to/python" >&2; exit 1; }
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	awk '/^uv==/ {keep = 1} keep {print} keep && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline --editable .
	touch $(READY)

lock: $(READY)
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --extra dev pyproject.toml --output-file requirements.lock

replicate: $(READY)
	snakemake --cores $(CORES) $(if $(CONFIG),--configfile $(CONFIG))

# In a folder of its own, so that it never touches the results of a full replication.
smoke: $(READY)
	mkdir -p results/smoke
	snakemake --cores $(CORES) --directory results/smoke --configfile config/smoke.yaml

test: $(READY) lint
	pytest

lint: $(READY)
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint

format: $(READY)
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow

clean:
	rm -rf results/smoke
