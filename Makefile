# The two commands a newcomer needs are "make demo" and "make test"; both work first on a fresh clone.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.installed
TESTS  := $(VENV)/.installed-tests
PIP    := $(BIN)/python -m pip install --quiet
WORDS  := $(wildcard speedsign/locale/*/LC_MESSAGES/*.po)

.PHONY: help install demo test check lint fuzz golden accuracy accuracy-cost bench bench-modbus \
	power-cuts bad-card bench-wear soak package test-install bench-statistics bench-compare bench-angle bench-drive-by bench-live bench-hub bench-bytes bench-backlog bench-fleet kill-matrix simulate-year forged-commands \
	describe faults words lock sbom licences audit test-arm64 tools clean

help:
	@echo "make demo     the whole sign on simulated hardware, in this terminal"
	@echo "make test     install what the tests need and run them"
	@echo "make check    format, lint, types, import contracts, tests"
	@echo "make fuzz     everything that reads bytes against millions that nobody sends; MINUTES=60, TARGET=radar"
	@echo "make golden   rebuild the golden vehicles of the captures and show the difference"
	@echo "make accuracy     how many vehicles are found, and how well measured; accuracy-cost: how fast"
	@echo "make bench    latency, CPU, memory beside a minimal script; bench-modbus: the panel's round trip"
	@echo "make bench-statistics   a year of one sign beside DuckDB; bench-compare: how often ranges hold the truth"
	@echo "make bench-angle     how well traffic tells the mounting angle, and what it makes of speeds"
	@echo "make bench-live      what it costs a sign that somebody looks at it"
	@echo "make bench-drive-by  how often a drive-by's interval holds what a sign reads wrong"
	@echo "make kill-matrix     sign, broker and hub killed at random: nothing lost, nothing doubled"
	@echo "make simulate-year   a year in one process, with faults drawn from a seed; DAYS=7 SEED=3: those again"
	@echo "make power-cuts  as root: the power of a real ext4 cut 200 times; bench-wear: megabytes a day to the card"
	@echo "make bad-card    as root: a card that dies under a running sign; soak: an hour of one trouble after another"
	@echo "make forged-commands a million bad commands: none is accepted"
	@echo "make bench-bytes     megabytes a month on a real TLS connection; bench-backlog: 90 days of it"
	@echo "make bench-hub       what a hub takes in a second; bench-fleet: 1,000 signs on one broker"
	@echo "make package         the Debian packages; test-install: as root, on machines with systemd in containers"
	@echo "make test-arm64      as root, the arm64 package on an emulated processor"
	@echo "make sbom            what is shipped, dist/sbom.cdx.json; licences: docs/licences.md; audit: known weaknesses"
	@echo "make describe        write docs/asyncapi.yaml and docs/schemas anew"
	@echo "make words    collect the texts of reports for the translators"
	@echo "make faults   how long a wrong number stays lit, for everything that can be wrong with a panel"
	@echo "make install  what runs: a sign, the demo, reports; into $(VENV)"
	@echo "make lint     format, lint, types, import contracts; clean: forget $(VENV) and what tools keep"
	@echo "make lock     renew requirements/lock.txt"

install: $(RUN)

# What runs: a sign, the demo, reports. With it the tools that build the package.
$(RUN): requirements/run.txt pyproject.toml $(WORDS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "speedsign needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# And what tests and lints.
$(TESTS): $(RUN) requirements/lock.txt
	$(PIP) --require-hashes -r requirements/lock.txt
	@touch $@

demo: install
	@$(BIN)/speedsign demo

tools:
	@sh tests/install_tools.sh

test: $(TESTS) tools
	$(BIN)/python -m tests.side_by_side

lint: $(TESTS)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

MINUTES ?= 20
fuzz: $(TESTS)
	$(if $(TARGET),,SPEEDSIGN_FUZZ_BYTES=1000000 $(BIN)/python -m pytest -q tests/radar/test_garbage.py)
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES) $(addprefix --target ,$(TARGET))

golden: $(TESTS)
	$(BIN)/python -m tests.cli.rebuild_golden $(CASES)

accuracy: $(TESTS)
	$(BIN)/python -m benchmarks.accuracy.run --write

accuracy-cost: $(TESTS)
	$(BIN)/python -m benchmarks.accuracy.cost --write

bench: $(TESTS) tools
	$(BIN)/python benchmarks/latency/run.py

bench-modbus: $(TESTS)
	$(BIN)/python benchmarks/modbus/run.py

bench-statistics: $(TESTS)
	$(BIN)/python benchmarks/statistics/run.py --write

bench-compare: $(TESTS)
	$(BIN)/python -m benchmarks.compare_coverage.run --write

bench-angle: $(TESTS)
	$(BIN)/python -m benchmarks.traffic_angle.run

bench-drive-by: $(TESTS)
	$(BIN)/python -m benchmarks.drive_by.run --write

bench-live: $(TESTS) tools
	$(BIN)/python -m benchmarks.live.run --write

kill-matrix: $(TESTS) tools
	$(BIN)/python -m benchmarks.kill_matrix.run --seeds 20 --write

simulate-year: $(TESTS)
	$(BIN)/python -m benchmarks.simulated_year.run --days $(or $(DAYS),365) $(if $(SEED),--seed $(SEED))

power-cuts: $(TESTS)
	$(BIN)/python -m benchmarks.power_cuts.run --cuts 200 --write

bad-card: $(TESTS) tools
	$(BIN)/python -m benchmarks.power_cuts.bad_card

soak: $(TESTS) tools
	$(BIN)/python -m benchmarks.soak.run --write $(if $(filter command environment,$(firstword $(origin MINUTES))),--minutes $(MINUTES))

bench-wear: $(TESTS)
	$(BIN)/python -m benchmarks.wear.run --write

# For this machine's kind, or for those named: make package ARCH="amd64 arm64"
package: $(RUN)
	$(BIN)/python -m package.build $(foreach one,$(ARCH),--arch $(one))

sbom: $(RUN)
	$(BIN)/python -m package.sbom --shipped --out dist/sbom.cdx.json

licences: $(TESTS)
	$(BIN)/python -m package.licences

audit: $(TESTS)
	$(BIN)/python -m package.audit

test-arm64: $(TESTS)
	$(BIN)/python -m tests.install.arm64

test-install: $(TESTS)
	$(BIN)/python -m tests.install.whole

forged-commands: $(TESTS)
	$(BIN)/python -m benchmarks.forged_commands.run

bench-bytes: $(TESTS) tools
	$(BIN)/python -m benchmarks.wire_bytes.run --write

bench-backlog: $(TESTS) tools
	$(BIN)/python -m benchmarks.backlog.run
	$(BIN)/python -m benchmarks.backlog_wires.run --write

bench-hub: $(TESTS) tools
	$(BIN)/python -m benchmarks.hub_ingest.run

bench-fleet: $(TESTS) tools
	$(BIN)/python -m benchmarks.fleet.run --write

describe: $(TESTS)
	$(BIN)/python -m tests.messages.describe

words: $(TESTS)
	$(BIN)/python -m tests.languages.update

faults: $(TESTS)
	$(BIN)/python benchmarks/faults/run.py

COMPILE := $(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate pyproject.toml

lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv
	$(COMPILE) --all-extras --group dev -o requirements/lock.txt
	$(COMPILE) --extra demo --extra report --group build -c requirements/lock.txt -o requirements/run.txt
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
