# The front door. Needs Python 3.11 or later, make and git; everything else is set up below, inside this folder.
STACK ?= local
TOPOLOGY ?= stacks/abc.topology.yaml
PYTHON ?= python3
EXAMPLES ?= 100
UV_VERSION := 0.13.8
UV := .tools/bin/uv
RUN := $(UV) run --frozen

.PHONY: up down check test test-packages fuzz e2e lint bench bench-path docs setup clean
.DEFAULT_GOAL := check

## Judge one system and, if its boundary is kept, deploy it and verify it. Takes the embedded cluster, with services that answer what they
## received, so that every probe can be asked; ARGS may say otherwise: --no-echo (podinfo), --context NAME.
up: setup
	@if [ -n "$(ARGS)" ]; then \
		$(RUN) perimeter up $(STACK) --topology $(TOPOLOGY) $(ARGS); \
	elif [ "$$(id -u)" = 0 ]; then \
		$(RUN) perimeter up $(STACK) --topology $(TOPOLOGY) --echo; \
	else \
		echo "The embedded cluster needs root (sudo make up); another cluster is named by: make up ARGS='--context NAME'. Only the check runs now."; \
		$(RUN) perimeter check $(STACK) --topology $(TOPOLOGY); \
	fi

## Remove what `make up` deployed.
down: setup
	$(RUN) perimeter down $(STACK) $(ARGS)

## Plan one system for one stack and prove its boundary.
check: setup
	$(RUN) perimeter check $(STACK) --topology $(TOPOLOGY)

## Everything CI runs: format, lint, types, architecture, tests, generated documents.
test: setup lint
	$(RUN) pytest -n auto --dist loadgroup $(ARGS)

## Plan and judge random systems that no run before has seen, EXAMPLES of them for each stack; what fails is tried again first.
fuzz: setup
	HYPOTHESIS_PROFILE=fuzz EXAMPLES=$(EXAMPLES) $(RUN) pytest -n auto tests/test_theorem.py -k any_topology $(ARGS)

## Install what some tests run for real and are skipped without: the edge's own nginx, nftables. Needs root and apt; starts no service.
test-packages:
	apt-get update --quiet --quiet
	RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --quiet --no-install-recommends \
		nginx libnginx-mod-http-modsecurity modsecurity-crs nftables iproute2

## Everything that needs the embedded cluster: deploying, interrupting, probing, sabotage. Needs root, and begins with an empty cluster.
e2e: setup
	@if [ "$$(id -u)" = 0 ]; then \
		$(RUN) perimeter lab reset && $(RUN) perimeter lab start && PERIMETER_E2E=1 $(RUN) pytest tests/e2e tests/conformance/test_echo.py $(ARGS); \
	else \
		echo "make e2e starts the embedded cluster, which needs root: sudo make e2e. Nothing of it ran." >&2; exit 2; \
	fi

lint: setup
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) pyright
	$(RUN) lint-imports

## Time and memory of plan and judge, from 3 to 1,000 services. Prints a table, asserts nothing.
bench: setup
	$(RUN) python -m tests.bench $(ARGS)

## Latency and throughput of every layer on the embedded cluster; deploys a system of its own there, and writes docs/performance.md. Needs root.
bench-path: setup
	$(RUN) perimeter up local --lab --echo --no-verify --topology tests/bench/path/path.topology.yaml
	$(RUN) python -m tests.bench.path $(ARGS)

## Write the generated documents: JSON Schema, rule pages, references of topology and stack files, lists of documents.
docs: setup
	$(RUN) perimeter schema --write docs/topology.schema.json
	$(RUN) perimeter rules --write docs/rules
	$(RUN) python -m cli.documents docs

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
