# The front door. Needs Python 3.11 or later, make and git; everything else is set up below, inside this folder.
STACK ?= local
TOPOLOGY ?= stacks/abc.topology.yaml
PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .tools/bin/uv
RUN := $(UV) run --frozen

.PHONY: check test lint bench docs setup clean
.DEFAULT_GOAL := check

## Plan one system for one stack and prove its boundary.
check: setup
	$(RUN) perimeter check $(STACK) --topology $(TOPOLOGY)

## Everything CI runs: format, lint, types, architecture, tests, generated documents.
test: setup lint
	$(RUN) pytest -n auto --dist loadgroup $(ARGS)

lint: setup
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) pyright
	$(RUN) lint-imports

## Time and memory of plan and judge, from 3 to 1,000 services. Prints a table, asserts nothing.
bench: setup
	$(RUN) python -m tests.bench $(ARGS)

## Write the generated documents: JSON Schema, rule pages.
docs: setup
	$(RUN) perimeter schema --write docs/topology.schema.json
	$(RUN) perimeter rules --write docs/rules

setup: .venv/.done

.venv/.done: pyproject.toml uv.lock | $(UV)
	$(UV) sync --frozen --quiet
	@touch $@

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "perimeter needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

clean:
	rm -rf .venv .tools .pytest_cache .ruff_cache .hypothesis .import_linter_cache
