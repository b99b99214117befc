# riskgate. `make help` lists what there is. Everything a target needs is built first, and only when it changed.

VENV := .venv
BIN := $(VENV)/bin
# In CI the lock files decide alone; elsewhere cargo may add a line for a dependency just written into a Cargo.toml.
LOCKED := $(if $(CI),--locked)
# What the tests and the benches are told: `make test PYTEST='-k replay'`, `make demo ARGS=--unprotected`.
PYTEST ?=
CARGO_TEST ?=
ARGS ?=

RUST_SOURCES := $(shell find riskcore -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock \
	$(wildcard protos/riskgate/v1/*.proto) riskcore/py/riskcore.pyi riskcore/py/pyproject.toml

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help build native guided protos reference lock test test-rust test-python check guard lint fmt demo bench clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

# ---- Build ----------------------------------------------------------------------------------------------------

build: $(VENV)/.project.stamp $(VENV)/.native.stamp ## the virtual environment with the project and its native module

native: $(VENV)/.native.stamp ## the native module alone

# A stamp carries the time at which its step began, so that a source saved during the step is built next time. Steps
# hold a lock, so that two builds at once (an editor's and yours) do not write into each other.
LOCK := $(if $(shell command -v flock),flock $(VENV)/.lock)

$(BIN)/python:
	@python=$$(tools/need.sh) && echo "creating $(VENV) with $$python" && "$$python" -m venv $(VENV)

$(VENV)/.deps.stamp: requirements/lock.txt | $(BIN)/python
	@tools/need.sh >/dev/null
	@echo "installing the locked Python packages"
	@$(LOCK) sh -ec 'touch $@.new; \
		$(BIN)/pip install --quiet --require-hashes --requirement requirements/lock.txt; \
		mv $@.new $@'

$(VENV)/.project.stamp: pyproject.toml $(VENV)/.deps.stamp
	@$(LOCK) sh -ec 'touch $@.new; \
		$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .; \
		mv $@.new $@'

$(VENV)/.native.stamp: $(RUST_SOURCES) $(VENV)/.deps.stamp
	@tools/need.sh >/dev/null
	@echo "building the native module (release; some minutes the first time)"
	@$(LOCK) sh -ec 'touch $@.new; export VIRTUAL_ENV="$(abspath $(VENV))"; \
		$(BIN)/maturin develop --quiet --release $(LOCKED) --manifest-path riskcore/py/Cargo.toml; \
		mv $@.new $@'

guided: $(VENV)/.guided.stamp ## the native module built by a profile of itself: some ten minutes, and faster by a quarter

$(VENV)/.guided.stamp: $(VENV)/.native.stamp $(VENV)/.project.stamp
	@$(LOCK) sh -ec 'tools/guided.sh; touch $@'

Cargo.lock: ;

protos: $(VENV)/.deps.stamp ## the Python code of protos/, to be committed
	@$(BIN)/python tools/gen_protos.py

reference: build ## the reference pages that are derived from the code, to be committed
	@$(BIN)/python tools/gen_reference.py

lock: $(VENV)/.deps.stamp ## requirements/lock.txt from pyproject.toml (UPGRADE=1: to the newest versions)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --annotation-style line $(if $(UPGRADE),--upgrade) \
		--group dev pyproject.toml --output-file requirements/lock.txt

# ---- Test -----------------------------------------------------------------------------------------------------

test: test-rust test-python ## all tests

test-rust:
	@tools/need.sh >/dev/null
	cargo test --workspace --quiet --no-fail-fast $(LOCKED) $(CARGO_TEST)

test-python: build
	$(BIN)/pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile $(PYTEST)

check: lint test guard ## format, lints, types, stub, protobuf rules, all tests, what decisions cost

guard: build ## the instructions of each kind of decision against the baseline (needs valgrind, else skipped)
	@$(BIN)/python benches/bench_decisions.py --guard

lint: build ## the part of `check` that runs no tests
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet $(LOCKED) -- -D warnings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/stubtest riskcore --mypy-config-file pyproject.toml --allowlist tools/stubtest-allowlist.txt
	$(BIN)/buf lint protos
	$(BIN)/python tools/proto_breaking.py
	$(BIN)/python tools/gen_protos.py --check

fmt: build ## write the formatting and the safe lint fixes
	cargo fmt --all
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# ---- Run ------------------------------------------------------------------------------------------------------

demo: build ## the Knight Capital morning, live, in a minute
	@$(BIN)/riskgate demo $(ARGS)

bench: build $(if $(findstring --quick,$(ARGS)),,guided) ## every benchmark; writes benches/results/latest.* and docs/reference/benchmarks.md (ARGS=--quick: see it run)
	@$(BIN)/python benches/suite.py $(if $(findstring --quick,$(ARGS)),,--write) $(ARGS)

clean: ## remove what the build made
	rm -rf $(VENV) .cache target .mypy_cache .pytest_cache .ruff_cache .hypothesis
