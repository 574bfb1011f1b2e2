# `make` lists the targets. Everything is installed into .venv; nothing outside this folder is changed,
# except that `make test` may install the system's Chromium when there is no browser and it is permitted.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH := $(shell grep '^torch==' constraints.txt)
DATA ?= ../shared/data
WORKERS ?= $(shell nproc 2>/dev/null || echo auto)

.DEFAULT_GOAL := help
.PHONY: help setup app lab test check exhaustive bench real-input browser clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-11s %s\n", $$1, $$2}'

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.exit(sys.version_info < (3, 11) and f"This needs Python 3.11 or newer, found {v}. Try: make setup PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[app,search,train,lora,ocr,demo,fonts,notebooks,dev]'
	@touch $@

setup: $(VENV)/.ready  ## install everything into .venv

app: setup  ## set up if needed, open the app on localhost, and make the demo if it is absent
	$(BIN)/workbench app --demo

lab: setup  ## set up if needed and open JupyterLab in notebooks/
	$(BIN)/jupyter lab --notebook-dir notebooks

browser: setup
	@$(BIN)/python tests/browser.py

test: setup browser  ## lint, types, contracts and all tests: unit, slow, browser, notebooks; WORKERS=processes
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: setup  ## lint, types, contracts and the unit tests, in under two minutes
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m 'not slow and not browser and not notebooks and not gpu and not exhaustive'

exhaustive: setup  ## kill a training at every point it passes and at moments drawn by chance: minutes
	$(BIN)/python -m pytest -n $(WORKERS) -m exhaustive

bench: setup  ## measure against named peers and floors, an hour; ONLY="video_reading ranks": DATA=folder
	$(BIN)/python -m benchmarks --data $(DATA) $(ONLY)

real-input: setup  ## real corpora, matrices and videos, every number checked: DATA=folder
	$(BIN)/python -m benchmarks.real_input $(DATA)

clean:  ## remove .venv and caches; the workspace with your corpora and runs stays
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
