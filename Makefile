# Every target sets itself up first: a fresh machine needs Python 3.11-3.13 with venv, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/bash
# Each worker has a PostgreSQL of its own; a file's tests stay together and share what they started.
# What is broken at large fails soon, and not after a time-out per test.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile --maxfail 10
.DEFAULT_GOAL := help

export SLUICE_SHARED ?= ../shared
export DAGSTER_DISABLE_TELEMETRY = yes
export DBT_SEND_ANONYMOUS_USAGE_STATS = false
export DO_NOT_TRACK = 1
# Dagster and dbt take twice as long to import where their bytecode is not kept.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup manifest demo up down test test-slow check format lint types sql-lint lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(VENV)/.installed manifest ## make the virtual environment from requirements.lock

$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "setup: installing into $(VENV) from requirements.lock"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@uv=$$(command -v uv || echo $(BIN)/uv); \
	  $$uv pip install --python $(BIN)/python --require-hashes -r requirements.lock && \
	  $$uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

manifest: dbt_project/target/manifest.json ## parse the example model set, from which Dagster reads the marts

dbt_project/target/manifest.json: $(VENV)/.installed dbt_project/dbt_project.yml $(wildcard dbt_project/macros/*.sql dbt_project/models/*/*)
	@echo "setup: parsing the dbt project"
	@$(BIN)/python -m orchestration.resources.example_manifest $@

demo: setup ## start sandbox and stack, onboard two tenants, let a day pass, show what was built (KEEP=1 leaves it running)
	@$(BIN)/sluice demo $(if $(KEEP),--keep)

up: setup ## start the stack with the Dagster UI on loopback
	@$(BIN)/sluice up

down: ## stop the stack
	@test ! -x $(BIN)/sluice || $(BIN)/sluice down

test: setup ## run the test suite
	@$(BIN)/python -m pytest -m "not slow" $(SIDE_BY_SIDE)

# A fuzzer whose pins contradict those of airbyte-cdk has a virtual environment of its own.
FUZZER := $(VENV)/schemathesis
$(FUZZER)/.installed: tests/airbyte_server/contract/schemathesis.lock $(VENV)/.installed
	@test -x $(FUZZER)/bin/python || $(BIN)/python -m venv $(FUZZER)
	@uv=$$(command -v uv || echo $(BIN)/uv); $$uv pip install --quiet --python $(FUZZER)/bin/python --require-hashes -r $<
	@touch $@

test-slow: setup $(FUZZER)/.installed ## kills, faults, generation, statistics
	@$(BIN)/python -m pytest -m slow --timeout 900 $(SIDE_BY_SIDE)

check: setup format lint types sql-lint test test-slow ## what CI runs

format: setup
	@$(BIN)/ruff format --check .

lint: setup
	@$(BIN)/ruff check .

types: setup
	@$(BIN)/mypy

sql-lint: setup
	@$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar dbt_project

lock: ## resolve requirements.lock anew from pyproject.toml
	@uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 --extra dev \
	  --no-emit-index-url --no-emit-find-links pyproject.toml --output-file requirements.lock

clean: down ## stop the stack and remove what was made
	rm -rf $(VENV) .sluice dbt_project/target
