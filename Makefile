# Every target sets up what it needs in .venv: only Python 3.11 or newer, and make, have to be there.
#
#   make serve [PORT=8080] [TODAY=2026-03-01T09:00:00Z]   answer on loopback
#   make test                                             every test, with coverage
#   make check                                            format, lint with the cds/hooks boundary, types
#   make fixtures                                         tell the stories of fixtures/ anew
#   make readme                                           write the README's answer and docs/RULES.md anew
#   make properties                                       what must hold, on 2,000 fresh charts
#   make recognise FILE=names.csv [BY=display|code]       how many drug names and codes are read rightly
#   make screenshots                                      take the pictures of docs/screenshots/ anew (Chromium)
#   make fuzz [FUZZ=20000] [FUZZ_FROM=2000]               mutated requests: no 5xx, nothing of the machine, memory flat
#   make load                                             throughput, p50, p99 and errors at rising rates
#   make chaos                                            breaks what it depends on; what clients saw, what was lost
#   make bench                                            CPU per request, beside a plain service

PORT ?=
TODAY ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SERVING := $(VENV)/.serving
OLD_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
# The first Python that is new enough; set PYTHON to choose another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c '$(OLD_ENOUGH)' 2>/dev/null && { echo $$python; break; }; done)

.PHONY: help serve test check format fixtures readme properties recognise screenshots fuzz load chaos bench clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   //p' Makefile

$(SERVING): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Firstline needs Python 3.11 or newer: none was found" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "Python's venv module is missing (Debian: apt install python3-venv)" >&2; exit 1; }
	@echo "Setting up $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(READY): $(SERVING)
	@echo "Setting up what tests and checks need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

serve: $(SERVING)
	@PORT="$(PORT)" TODAY="$(TODAY)" $(BIN)/python -m hooks.serve

test: $(READY)
	-@sh scripts/install_test_needs.sh
	$(BIN)/python -m pytest --cov --cov-report=
	$(BIN)/python -m coverage report --include='cds/*' --fail-under=100
	$(BIN)/python -m coverage report --include='hooks/*' --fail-under=95

check: $(READY)
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy

format: $(READY)
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

fixtures: $(READY)
	$(BIN)/python -m tests.fixtures

readme: $(READY)
	$(BIN)/python -m tests.readme
	$(BIN)/python -m tests.rules_page

properties: $(READY)
	PROPERTY_EXAMPLES=$(or $(PROPERTY_EXAMPLES),2000) $(BIN)/python -m pytest tests/test_properties.py

recognise: $(READY)
	@$(BIN)/python -m tests.recognise "$(FILE)" "$(BY)"

screenshots: $(READY)
	@$(BIN)/python -m tests.browser.screenshots

fuzz: $(READY)
	FUZZ=$(or $(FUZZ),20000) FUZZ_FROM=$(or $(FUZZ_FROM),2000) $(BIN)/python -m pytest -s tests/test_fuzz.py

load: $(READY)
	@$(BIN)/python -m tests.load

chaos: $(READY)
	-@sh scripts/install_test_needs.sh
	@BIN=$(BIN) scripts/chaos

bench: $(READY)
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
