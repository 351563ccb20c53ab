# One obvious command per chore.  `make quickstart` and `make test` each set everything up by themselves.

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.superion-installed
# One more than cores: tests of queues wait much of their time.
PYTEST_WORKERS ?= 3

export OMP_NUM_THREADS ?= 1

.PHONY: help setup quickstart test test-slow test-physics check format docs docs-serve benchmarks wheel constraints services-stop clean

help: ## list the chores
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make the environment in .venv, at the pinned versions

$(STAMP): pyproject.toml constraints.txt scripts/setup-environment
	@sh scripts/setup-environment $(VENV)
	@touch $@

quickstart: setup ## the conductivity of Li6PS5Cl on this machine, from an empty clone
	$(BIN)/superion run conductivity Li6PS5Cl --preset quickstart

test: setup ## run the tests, and say which were skipped for want of a server
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder -rs

test-slow: setup ## the full calibration, many kills, the full quickstart
	$(BIN)/python -m pytest -m slow

test-physics: setup ## long molecular dynamics against known answers
	$(BIN)/python -m pytest -m physics

check: setup ## formatting, style, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@mkdir -p .typing && ln -sfn .. .typing/superion
	MYPYPATH=.typing $(BIN)/mypy -p superion
	$(BIN)/lint-imports

format: setup ## format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup ## build the documentation into site/
	$(BIN)/mkdocs build --strict

docs-serve: setup ## serve the documentation on this machine
	$(BIN)/mkdocs serve

benchmarks: setup ## measure ours beside the others' and write the tables of the documentation
	$(BIN)/python benchmarks/transport_benchmark.py
	$(BIN)/python benchmarks/md_overhead.py
	$(BIN)/python benchmarks/mace_runtime.py
	$(BIN)/python benchmarks/store.py
	$(BIN)/python benchmarks/campaign_plan.py --output docs/benchmarks/campaign.md
	$(BIN)/python benchmarks/dispatch.py --output docs/benchmarks/dispatch.md
	$(BIN)/python benchmarks/sequential_stopping.py --processes 2

wheel: setup ## build the wheel into dist/
	$(BIN)/python -m build --wheel

constraints: setup ## refresh the pinned versions
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--upgrade --no-header --no-annotate --quiet --output-file constraints.txt
	sed -i 's/python_full_version/python_version/g' constraints.txt

services-stop: ## stop the test services
	scripts/dev-services mongo stop
	scripts/dev-services slurm stop

clean: ## remove what the chores made, but neither results nor the environment
	rm -rf build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .typing
