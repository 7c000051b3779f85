# `make` alone prints this help. `make run` and `make test` do all set-up by themselves.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
BIN := .venv/bin
ARGS ?=
# conftest.py says which files come first. Long ones wait for other processes: three fill two cores.
ORDER := --dist loadfile --no-loadscope-reorder
# Tests that run over a spread sample, or over everything if ADAPTER_CONTRACT=all.
MATRICES := tests/adapter_lib/test_contract.py tests/adapter_lib/runtime tests/adapter_lib/points/test_prompt.py

.PHONY: help
help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-16s %s\n", $$1, $$2 }'

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found; install it or run make PYTHON=/path/to/python."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11; run make PYTHON=/path/to/python3.11."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[hub]'
	@touch $@

.venv/dev.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[hub,postgres,s3,dev]'
	@touch $@ .venv/run.stamp

.PHONY: run
run: .venv/run.stamp ## Start the hub with its demo; flags: make run ARGS="--no-demo --port 9000 --data-dir DIR"
	@exec $(BIN)/python manage.py hub $(ARGS)

.PHONY: test
test: .venv/dev.stamp ## Run the tests on SQLite, then the server tests on PostgreSQL and Redis where they are installed
	$(BIN)/python -m pytest -n 3 $(ORDER) $(ARGS)
	@$(MAKE) --no-print-directory test-services

.PHONY: test-services
test-services: .venv/dev.stamp ## Run the database and queue tests on throwaway PostgreSQL and Redis servers
	@missing="$$($(BIN)/python -c 'from tests import services; print(", ".join(services.missing()))')"; \
	if [ -z "$$missing" ]; then HUB_TEST_SERVICES=1 $(BIN)/python -m pytest -n 2 $(ORDER) tests/hubsite tests/workers $(ARGS); \
	elif [ -n "$$HUB_REQUIRE_SERVICES" ]; then echo "Not installed: $$missing."; exit 1; \
	else echo "Skipped the tests on PostgreSQL and Redis; not installed here: $$missing."; fi

.PHONY: test-all
test-all: .venv/dev.stamp ## Run the whole contract: every method on every model, every block, every runtime promise
	ADAPTER_CONTRACT=all $(BIN)/python -m pytest -n 2 -q $(MATRICES) $(ARGS)
	$(BIN)/python -m pytest -n 2 -q -m matrix tests/adapter_lib tests/interop $(ARGS)

.PHONY: coverage-table
coverage-table: .venv/dev.stamp ## Run the whole contract and write docs/support.md from what it found
	rm -rf .contract && mkdir .contract
	ADAPTER_CONTRACT_OUTCOMES=.contract $(MAKE) --no-print-directory test-all
	$(BIN)/python -m tests.adapter_lib.contract.table .contract docs/support.md

.PHONY: bench-quality
bench-quality: .venv/dev.stamp ## Train every method on real text and write docs/results.md: make bench-quality DATA=FOLDER
	OMP_NUM_THREADS=1 $(BIN)/python -m bench.quality run --jobs 2 --data "$(DATA)" $(ARGS)
	$(BIN)/python -m bench.quality table

.PHONY: check
check: .venv/dev.stamp ## Lint, format check and strict types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: format
format: .venv/dev.stamp ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: screenshots
screenshots: .venv/dev.stamp ## Write pictures of every page to screenshots/
	$(BIN)/python -m pytest tests/functional/screenshots.py $(ARGS)

.PHONY: constraints
constraints: ## Pin today's newest versions of everything (torch stays where it is)
	rm -rf .venv-pins && $(PYTHON) -m venv .venv-pins
	.venv-pins/bin/pip install --quiet "$$(grep '^torch==' constraints.txt)"
	.venv-pins/bin/pip install --quiet '.[hub,postgres,s3,dev]'
	{ grep '^#' constraints.txt; .venv-pins/bin/pip freeze --exclude adapter-lib | sed 's/+cpu$$//'; } > constraints.new
	mv constraints.new constraints.txt && rm -rf .venv-pins build
