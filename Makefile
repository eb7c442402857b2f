# acsgen: everything a newcomer needs is `make demo` and `make test`.
#
# Variables: PYTHON (default python3), PIP_ARGS (for example an extra package index),
# BOARD and MODEL (for demo), PYTEST_ARGS (for test and test-pythons), PYTHONS (for test-pythons), N and SEED (for fuzz and fuzz-inputs), LANES (for fuzz).

BOARD ?= zedboard
MODEL ?= models/resnet8-acs-digits32.pt
PYTEST_ARGS ?=
N ?= 1000
SEED ?= $(shell date +%s)
LANES ?= 4 1 3 6
VENV := .venv
BIN := $(VENV)/bin
SETUP := scripts/setup.sh pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test test-pythons docs fuzz fuzz-inputs lint format spec clean

help:
	@echo "make demo    build an accelerator from a trained network and prove it bit-exact"
	@echo "make test    run the tests"
	@echo "make test-pythons  run the unit tests with every Python that is supported and installed"
	@echo "make docs    build the documentation's site, with warnings as errors"
	@echo "make fuzz    compare the engines on N random programs each, until one is wrong"
	@echo "make fuzz-inputs  damage every kind of file that is read, N times each"
	@echo "make lint    ruff, mypy, clang-format and Verible"
	@echo "make format  let ruff, clang-format and Verible format and fix the sources"
	@echo "make spec    render what is derived from hw/spec/engine.yaml, and the reference pages"
	@echo "make clean   remove builds and caches (the environment stays; remove .venv by hand)"

# A stamp lets a second call start at once: it is newer than the files that it depends on.
$(VENV)/.ready-test: $(SETUP)
	@scripts/setup.sh test
	@touch $@

$(VENV)/.ready-dev: $(SETUP)
	@scripts/setup.sh dev
	@touch $@ $(VENV)/.ready-test

# Environments for the tests that need another Python, or older packages. Where pip reaches no package
# index, the script says so and ends with status 3; where there is no such Python, with 4. Their tests
# are then skipped; any other failure stops make.
BESIDE := pynq board-3.8 board-3.10
$(BESIDE:%=$(VENV)-%/.ready): $(VENV)-%/.ready: tests/host/requirements-%.txt scripts/setup_environment.sh
	@scripts/setup_environment.sh $* || test $$? -eq 3 -o $$? -eq 4

demo: $(VENV)/.ready-test
	$(BIN)/acsgen build --board $(BOARD) --verify rtl $(MODEL)

test: $(VENV)/.ready-test $(BESIDE:%=$(VENV)-%/.ready)
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

test-pythons:
	scripts/test_pythons.sh $(or $(PYTEST_ARGS),-q -m unit)

# The variable keeps the theme's makers from speaking of other projects.
docs: $(VENV)/.ready-test
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "open site/index.html"

fuzz: $(VENV)/.ready-test
	$(BIN)/python -m tests.fuzz --count $(N) --seed $(SEED) --lanes $(LANES)

fuzz-inputs: $(VENV)/.ready-test
	$(BIN)/python -m tests.inputs --count $(N) --seed $(SEED)

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python scripts/check_sv.py
	$(BIN)/python scripts/format_cpp.py --check

format: $(VENV)/.ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python scripts/check_sv.py --fix
	$(BIN)/python scripts/format_cpp.py

spec: $(VENV)/.ready-test
	$(BIN)/python -m acsgen.isa
	$(BIN)/python -m acsgen.flow.keys docs/reference
	$(BIN)/python scripts/command_pages.py

clean:
	rm -rf build dist site .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find acsgen tests hw templates host sim -name __pycache__ -type d -prune -exec rm -rf {} +
