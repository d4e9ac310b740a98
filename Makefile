# `make` lists the targets. Everything happens in .venv, which the first target that needs it makes.

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python --version >/dev/null 2>&1 && \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && \
	echo $$python && break; done)
PORT ?= 8000
ARGS ?=
WORKERS ?= 3

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CODE := launcher project tests tools bench

.DEFAULT_GOAL := help
.PHONY: help run test test-chaos test-fuzz test-matrix test-corpus e2e lint types docs wheel bench screenshots clean

help:
	@echo "make run           serve the demo; PORT=8123 for another port"
	@echo "make test          run all tests: unit, integration, PostgreSQL, browser, packaging; ARGS='-k argv' for pytest"
	@echo "make test-chaos    kill, stop and freeze what runs, 200 times over; LAUNCHER_CHAOS_SEED=7 plays the same again"
	@echo "make test-fuzz     try what holds for any output and any command line with twenty times as many examples"
	@echo "make test-matrix   run the tests with every supported Python and Django; ARGS=py3.12-dj6.0 for one"
	@echo "make test-corpus   try the forms with the commands of some 40 apps, on every supported Python; ARGS=py3.12 for one"
	@echo "make e2e           run the browser tests only; LAUNCHER_CHROMIUM=/usr/bin/chromium ARGS=--headed to watch"
	@echo "make lint          check style, format, templates and import layers"
	@echo "make types         check the types"
	@echo "make docs          build the documentation into docs/_build/html"
	@echo "make wheel         build sdist and wheel into dist/"
	@echo "make bench         measure every figure that the README claims"
	@echo "make screenshots   take the pictures of README and docs anew"
	@echo "make clean         remove what the other targets made, environments included; the demo's data stays"

run: .venv/runtime.stamp
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py setup_demo
	@$(BIN)/python -m tools.serve_demo $(PORT)

test: .venv/test.stamp
	@$(WITH_SERVICES) $(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder $(ARGS)

e2e: .venv/test.stamp
	@$(WITH_BROWSER) $(BIN)/python -m pytest tests/e2e $(ARGS)

test-chaos: .venv/test.stamp
	@LAUNCHER_CHAOS_ROUNDS="$${LAUNCHER_CHAOS_ROUNDS:-200}" $(BIN)/python -m pytest tests/chaos --timeout=0 $(ARGS)

test-fuzz: .venv/test.stamp
	@LAUNCHER_EXAMPLES="$${LAUNCHER_EXAMPLES:-20}" LAUNCHER_LAW_EXAMPLES="$${LAUNCHER_LAW_EXAMPLES:-200}" \
		$(BIN)/python -m pytest --numprocesses=$(WORKERS) tests/output tests/test_law.py tests/test_shell.py --timeout=0 $(ARGS)

test-matrix: .venv/test.stamp
	@$(WITH_SERVICES) $(BIN)/python -m tools.matrix $(ARGS)

test-corpus: .venv/test.stamp
	@$(BIN)/python -m tools.corpus $(ARGS)

lint: .venv/lint.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	find templates/launcher -name '*.html' -exec $(BIN)/djade --check --target-version 5.2 {} +
	$(BIN)/lint-imports

types: .venv/lint.stamp
	$(BIN)/mypy --strict $(CODE)

docs: .venv/docs.stamp
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo docs/_build/html/index.html

wheel: .venv/test.stamp
	rm -rf dist
	$(BIN)/python -m build --outdir dist

bench: .venv/bench.stamp
	@for module in $$(ls bench/[!_]*.py); do \
		echo "== $$module" && $(BIN)/python -m bench.$$(basename $$module .py) || exit 1; done

screenshots: .venv/test.stamp
	@$(WITH_BROWSER) $(BIN)/python -m tools.screenshots $(ARGS)

clean:
	rm -rf .venv .venvs dist build docs/_build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Where it is set, each of the hundreds of processes that tests start would compile all that it imports anew.
export PYTHONDONTWRITEBYTECODE =

# Each says on stderr what is missing; the tests then skip, or fail if LAUNCHER_REQUIRE_ALL=1.
WITH_BROWSER = LAUNCHER_CHROMIUM="$${LAUNCHER_CHROMIUM:-$$($(BIN)/python -m tools.find_browser)}"
WITH_POSTGRES = LAUNCHER_POSTGRES_BIN="$${LAUNCHER_POSTGRES_BIN:-$$($(BIN)/python -m tools.find_postgres)}"
WITH_SERVICES = $(WITH_BROWSER) $(WITH_POSTGRES)

# One stamp per set of requirements, so that a second `make` installs nothing.

.venv/made.stamp:
	@test -n "$(PYTHON)" || { echo "Needs Python 3.11 or newer with venv (Debian: apt-get install python3-venv); or name one: make PYTHON=..." >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear .venv
	@touch $@

.venv/runtime.stamp: .venv/made.stamp pyproject.toml requirements/runtime.txt
	@echo "Installing requirements/runtime.txt"
	@$(PIP) -r requirements/runtime.txt
	@touch $@

.venv/test.stamp: .venv/runtime.stamp requirements/test.txt
	@echo "Installing requirements/test.txt"
	@$(PIP) -r requirements/test.txt
	@touch $@

.venv/bench.stamp: .venv/test.stamp requirements/bench.txt
	@echo "Installing requirements/bench.txt"
	@$(PIP) -r requirements/bench.txt
	@touch $@

.venv/lint.stamp: .venv/test.stamp requirements/lint.txt
	@echo "Installing requirements/lint.txt"
	@$(PIP) -r requirements/lint.txt
	@touch $@

.venv/docs.stamp: .venv/runtime.stamp requirements/docs.txt
	@echo "Installing requirements/docs.txt"
	@$(PIP) -r requirements/docs.txt
	@touch $@
