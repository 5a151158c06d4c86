# The two commands: `make demo` and `make test`. Everything else serves them.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 8000
# Python compiles what is imported when it is imported: much of what is installed never is.
INSTALL := -m pip install --quiet --no-compile --disable-pip-version-check --constraint .ci/constraints.txt --editable
# Setting up may use every core; a served exchange keeps to one thread (TECHEX_THREADS).
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
ALL_CORES := TECHEX_THREADS=$(CORES)

.PHONY: demo setup test model lint fuzz bench compare screenshots clean

# The worker beside it does what time brings: deadlines, notices, letters (which the demo shows as a page).
demo: setup
	@TECHEX_BASE_URL=http://$(HOST):$(PORT) $(BIN)/techex work & worker=$$!; trap "kill $$worker 2>/dev/null" EXIT INT TERM; \
	$(BIN)/techex serve --host $(HOST) --port $(PORT)

setup: $(VENV)/.installed model
	@$(BIN)/techex migrate
	@$(ALL_CORES) $(BIN)/techex demo load
	@test -f "$${TECHEX_DATA_DIR:-instance}/evaluation.json" || $(ALL_CORES) $(BIN)/techex evaluate --demo

# Lint and the model keep one core busy each.
test: $(VENV)/.tested
	@$(MAKE) --no-print-directory --jobs 2 lint model
	@$(BIN)/python -m pytest -n $(CORES) --dist loadfile

model: $(VENV)/.installed
	@$(BIN)/techex models prepare

lint: $(VENV)/.tested
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/djlint --lint --quiet templates

# Hostile requests over all routes by all kinds of people; SEED=… repeats a run, Ctrl-C ends it.
REQUESTS ?= 200000
fuzz: $(VENV)/.tested
	@$(BIN)/python -m tests.house.fuzz --requests $(REQUESTS) $(if $(SEED),--seed "$(SEED)")

# DATA=folder adds judged sets in the BEIR layout.
bench: $(VENV)/.tested model
	@$(BIN)/techex bench $(if $(DATA),--data "$(DATA)")

# DATA=folder adds judged sets in the BEIR layout; builds .venv-compare for what TechEx is compared with.
compare: $(VENV)/.tested model
	@$(BIN)/python -m tests.compare $(if $(DATA),--data "$(DATA)")

screenshots: $(VENV)/.tested setup
	@$(BIN)/python -m tests.browser.screenshots

clean:
	rm -rf $(VENV) .venv-compare instance dist build

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "TechEx needs Python 3.11 or newer; $(PYTHON) was not found. Install it, or name yours: make demo PYTHON=python3.12"; exit 3; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "TechEx needs Python 3.11 or newer; $(PYTHON) is older."; exit 3; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml .ci/constraints.txt
	$(BIN)/python $(INSTALL) .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(BIN)/python $(INSTALL) ".[dev]"
	@touch $@
