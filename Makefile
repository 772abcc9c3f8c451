# What a newcomer types. Everything runs in .venv, which `make setup` makes from hashed locks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete

.DEFAULT_GOAL := help
.PHONY: help setup engine demo test test-unit coverage fuzz lint format bench docs lock-dev clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Freezer and its tools in .venv, every package pinned and hashed

$(STAMP): requirements/dev.txt pyproject.toml
	@scripts/setup.sh "$(PYTHON)" "$(VENV)"
	@touch $@

engine: ## use the container engine there is, or install and start one (root on Debian or Ubuntu)
	@scripts/engine.sh

demo: setup engine ## lock, build and check a real environment, from nothing to a verdict
	@scripts/demo.sh

test: setup ## the whole test suite: unit tests, and meanwhile those that need an engine
	@scripts/engine.sh --with-test-tools
	@scripts/test.sh

test-unit: setup ## only the tests that need no engine, no network and no other program: a minute
	@scripts/test.sh --unit

fuzz: setup ## 100,000 mutated inputs through every parser of outside data (the suite runs a few of each)
	@$(BIN)/python -m tests.fuzz

coverage: setup ## lines and branches that the whole suite runs; writes .coverage/html
	@scripts/engine.sh --with-test-tools
	@scripts/coverage.sh

lint: setup ## formatting, lint rules and strict types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: setup ## bring the code into its one format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup engine ## measure against bare uv and pip-compile; writes benchmarks/*/RESULTS.md
	@$(BIN)/python -m benchmarks

docs: setup ## write what comes from code: docs/reference/api, docs/reference/frameworks.md, docs/atlas.html
	@$(BIN)/python scripts/api_docs.py
	@$(BIN)/python scripts/framework_docs.py
	@$(BIN)/freeze atlas -o docs/atlas.html

lock-dev: $(STAMP) ## lock the development environment anew, with hashes
	@scripts/lock-dev.sh "$(VENV)"

clean: ## remove what setup and the tests made here (not the store, not the engine)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage dist build
