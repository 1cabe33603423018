# The two commands of the README are `make demo` and `make test`; both install
# what they need into .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help install demo test check bench clean

help:
	@echo "make demo     plan and apply specs/ against a server of its own"
	@echo "make test     lint, types, layers and every test"
	@echo "make check    lint, types and layers only"
	@echo "make bench    measure, and print ratios"
	@echo "make install  the tool alone, into .venv"
	@echo "make clean    remove .venv, caches and .reconciler"

install: $(VENV)/.installed

demo: install
	$(BIN)/python tests/demo.py

test: check
	$(BIN)/pytest --numprocesses auto --dist loadfile

check: $(VENV)/.installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-test
	$(BIN)/python tests/bench/run.py

clean:
	rm -rf $(VENV) .reconciler .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache build ./*.egg-info

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Python 3.11 or newer is needed; name it as in: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/.installed
