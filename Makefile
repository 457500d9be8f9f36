# The two commands a newcomer needs are "make demo" and "make test"; both work first on a fresh clone.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: help install demo test check lint fuzz golden accuracy accuracy-cost bench bench-modbus faults lock tools clean

help:
	@echo "make demo     the whole sign on simulated hardware, in this terminal"
	@echo "make test     install what the tests need and run them"
	@echo "make check    format, lint, types, import contracts, tests"
	@echo "make fuzz     every radar decoder against millions of bytes that no radar sends"
	@echo "make golden   rebuild the golden vehicles of the captures and show the difference"
	@echo "make accuracy     how many vehicles are found, and how well measured; accuracy-cost: how fast"
	@echo "make bench    latency, CPU, memory beside a minimal script; bench-modbus: the panel's round trip"
	@echo "make faults   how long a wrong number stays lit, for everything that can be wrong with a panel"
	@echo "make install  everything, all extras, into $(VENV)"
	@echo "make lock     renew requirements/lock.txt"

install: $(STAMP)

$(STAMP): requirements/lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "speedsign needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/lock.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: install
	@$(BIN)/speedsign demo

tools:
	@sh tests/install_tools.sh

test: install tools
	$(BIN)/python -m pytest

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

fuzz: install
	SPEEDSIGN_FUZZ_BYTES=1000000 $(BIN)/python -m pytest -q tests/radar/test_garbage.py

golden: install
	$(BIN)/python -m tests.cli.rebuild_golden $(CASES)

accuracy: install
	$(BIN)/python -m benchmarks.accuracy.run --write

accuracy-cost: install
	$(BIN)/python -m benchmarks.accuracy.cost --write

bench: install tools
	$(BIN)/python benchmarks/latency/run.py

bench-modbus: install
	$(BIN)/python benchmarks/modbus/run.py

faults: install
	$(BIN)/python benchmarks/faults/run.py

lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras \
		--group dev --no-header --no-annotate pyproject.toml -o requirements/lock.txt
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
