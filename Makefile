# Everything from a bare clone: `make demo`, `make test`. `make` alone lists the targets.
# Cargo finds the libtorch that `make setup` fetched through .cargo/config.toml; a LIBTORCH of your own wins.

CARGO ?= cargo
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help setup build demo test lint bench experiments tools python

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | awk -F '\t' '{ printf "  make %-11s %s\n", $$1, $$2 }'

setup: python ## fetch libtorch 2.4.0 into .libtorch, once (a GPU machine: make setup SETUP=--cuda)
	@$(PYTHON) scripts/setup.py $(SETUP)

build: tools setup ## the program, at target/release/detente
	$(CARGO) build --release --locked

demo: build ## who said what in the demo articles, and how conciliatory
	@# Through cargo, which knows where the program is when its target folder is elsewhere.
	$(CARGO) run --quiet --release --locked -- classify datasets/demo --neutral --format table

# In the release profile throughout, so that the dependencies are compiled once.
lint: tools setup ## format and lints, with and without the engine, and the documentation
	$(CARGO) fmt --check
	$(CARGO) clippy --release --locked --all-targets -- -D warnings
	$(CARGO) clippy --release --locked --no-default-features --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --no-deps

test: lint ## lint, then all tests, with and without the engine
	$(CARGO) test --release --locked --no-default-features
	$(CARGO) test --release --locked

# Which documents `make bench` reads: JSON lines or a folder of texts.
BENCH ?= datasets/wire/wire.jsonl

bench: build .venv/throughput ## how fast it is, beside other programs (fetches them into .venv, 6 GB)
	$(CARGO) bench --locked
	.venv/bin/python scripts/throughput/peers.py $(BENCH)
	.venv/bin/python scripts/throughput/cost.py --plot target/cost.svg

.venv/throughput: scripts/throughput/requirements.txt
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --requirement $<
	@touch $@

EXPERIMENTS ?= plv plv-quad cameo

experiments: build ## make all runs of datasets/experiments that are missing, and print their tables
	@test -d .base/all-MiniLM-L6-v2 || $(PYTHON) scripts/fetch_base_model.py
	@set -e; for name in $(EXPERIMENTS); do \
	  $(CARGO) run --quiet --release --locked -- experiment run datasets/experiments/$$name.toml; \
	  $(CARGO) run --quiet --release --locked -- experiment report runs/$$name --report runs/$$name.json; \
	done

# What the others need, said in a sentence.
tools:
	@command -v $(CARGO) >/dev/null || { echo "error: there is no cargo here. Install Rust 1.88 or newer from https://rustup.rs, open a new shell, and run this again." >&2; exit 1; }

python:
	@command -v $(PYTHON) >/dev/null || { echo "error: there is no $(PYTHON) here. Install Python 3.8 or newer, or name one with \`make PYTHON=...\`, and run this again." >&2; exit 1; }
