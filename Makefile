# Needs Python 3.11 or newer, make, and PyPI; everything else goes into .venv. `make prove` is the main job, `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell for candidate in python3.11 python3.12 python3.13 python3.14 python3; do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$candidate"; break; }; done)
BIN := .venv/bin
RUN := .venv/.installed
DEV := .venv/.installed-dev
INSTALL := PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

.PHONY: help prove test slow check regress bench compare fuzz clean format

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

$(RUN): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then echo "error: Python 3.11 or newer is needed; name it with PYTHON=..." >&2; exit 2; fi
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) .
	touch $@

$(DEV): $(RUN)
	$(INSTALL) '.[dev,cluster,crosscheck,lsp,source,watch]'
	touch $@

# The unpatched protocol is violated: that is the expected answer, exit code 1.
prove: $(RUN) ## the main job: the savevm protocol without the patch (its witness) and with it (proved)
	@status=0; $(BIN)/formal prove models/savevm_unlocked.dsl || status=$$?; \
	if [ $$status -ne 1 ]; then echo "error: savevm_unlocked should be violated (exit 1), got exit $$status" >&2; exit 1; fi
	@echo
	@$(BIN)/formal prove models/savevm_locked.dsl
	@echo; echo "as expected: violated without the patch, proved with it"

test: $(DEV) ## the test suite
	$(BIN)/python -m pytest

slow: $(DEV) ## the tests that are too long for every day
	$(BIN)/python -m pytest -m slow

check: $(DEV) ## format, lint, types; the models' layout and their list
	$(BIN)/ruff format --check formal tests bench
	$(BIN)/ruff check formal tests bench
	$(BIN)/mypy
	$(BIN)/formal fmt --check models
	$(BIN)/formal catalogue models --check -o models/README.md

regress: $(RUN) ## every model against its own expectation, by the records in proofs
	$(BIN)/formal regress

bench: $(DEV) ## where the time goes, as ratios within one run
	$(BIN)/python -m bench

compare: $(DEV) ## 2,000 random models through every engine (an hour)
	$(BIN)/python tests/every_engine.py --count 2000

fuzz: $(DEV) ## 2,000 random models through both readings of the language (a quarter of an hour)
	$(BIN)/python tests/differential.py --count 2000 --depth 6
	$(BIN)/python tests/differential.py --systems --count 2000 --depth 6

format: $(DEV) ## rewrite the sources in the house format
	$(BIN)/ruff format formal tests bench
	$(BIN)/ruff check --fix formal tests bench

clean: ## remove what make has made
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
