# The commands of this repository. Longer steps are scripts in tools/.
# The first Python that is new enough. To use another: `make up PYTHON=/path/to/python`.
PYTHON ?= $(shell for p in .venv/bin/python python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; done; echo python3)
ENV := .venv/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help up test bench docs wheel assets environment lock clean
.NOTPARALLEL:

help:  ## List the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 21

up:  ## Start a hub with a demo classroom; Ctrl-C stops it
	@$(PYTHON) tools/environment.py hub assets package
	@exec $(ENV)/pmh up $(ARGS)

test: environment  ## Install what the tests need, and run every test; ARGS goes to pytest
	@$(ENV)/python tools/run_tests.py $(ARGS)

bench: environment  ## Run the benchmarks
	@$(ENV)/python -m pytest benchmarks $(ARGS)

docs: environment  ## Build the documentation into docs/_build
	@$(ENV)/python -m sphinx -W --keep-going -q -b html docs docs/_build $(ARGS)

wheel: assets  ## Build the wheel and the source archive into dist/
	@$(ENV)/python -m hatchling build $(ARGS)

assets:  ## Build the panel and the proxy if their sources have changed
	@$(PYTHON) tools/environment.py hub assets

environment:  ## Create .venv with everything that development needs
	@$(PYTHON) tools/environment.py dev hub assets package

lock:  ## Update requirements/*.lock from pyproject.toml; ARGS=--upgrade for newer versions
	@$(PYTHON) tools/environment.py dev
	@$(ENV)/python tools/lock.py $(ARGS)

clean:  ## Remove build results; keeps .venv and the hub's data
	@rm -rf dist .cache/stamps pmh_jupyter/labextension pmh_jupyter/hub/proxy labextension/lib docs/_build
