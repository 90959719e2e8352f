# Two commands: `make demo` and `make test`.  They need python3, its venv module and make.

PYTHON ?= python3
BIN := .venv/bin
DEMO_ARGS ?=
TEST_ARGS ?=
BENCH_ARGS ?=
DEEP ?= 20
DRAWN ?= 10000
PROCESSES := -n auto --maxprocesses 4 --dist worksteal
# The code of README and the pages runs in `make docs`.
TESTS := $(PROCESSES) --ignore=tests/test_pages.py
FUZZ_SECONDS ?= 60
FUZZ_ARGS ?=
APPLICATIONS := optuna mlflow-skinny

.PHONY: demo test test-coverage test-deep test-applications check docs bench fuzz generated clean

demo: .venv/.installed
	$(BIN)/python examples/bakery_demo.py $(DEMO_ARGS)

test: .venv/.installed
	$(BIN)/python -m pytest $(TESTS) $(TEST_ARGS)

# The same, then the lines and branches of src that no test takes; of the branches alone, three of a
# hundred may be.
test-coverage: .venv/.installed
	rm -rf .coverage && mkdir .coverage
	$(BIN)/python -m pytest -p tests.support.covering $(TESTS) $(TEST_ARGS)
	$(BIN)/python -m slipcover --merge .coverage/*.json --out .coverage/all.json --skip-covered
	$(BIN)/python tests/support/branch_limit.py .coverage/all.json 97

# Hours of search: every test on every engine, DEEP times the examples, DRAWN applications.
test-deep: .venv/.installed
	LADING_DEEP=$(DEEP) LADING_DRAWN=$(DRAWN) $(BIN)/python -m pytest $(PROCESSES) -o timeout=0 $(TEST_ARGS)

# Real applications' models, filled by their own code, in an environment of their own.
test-applications: .venv-applications/.installed
	LADING_APPLICATIONS=1 .venv-applications/bin/python -m pytest $(TEST_ARGS) tests/contract/test_applications.py

check: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The pages, into docs/_build: every link and anchor leads somewhere, and every block of code runs.
docs: .venv/.installed
	$(BIN)/pip install -q --disable-pip-version-check -e '.[docs]' -c constraints.txt
	$(BIN)/python -m sphinx -q -E -W --keep-going -b html docs docs/_build
	$(BIN)/python -m pytest -q $(PROCESSES) tests/test_pages.py

# Figures, tables and a plot, within ten minutes; within half an hour, with a million records as well:
# BENCH_ARGS='--records 1000 10000 100000 1000000 --limit 40 --note "an idle machine"'.
bench: .venv/.installed
	PYTHONPATH=schemas:tests $(BIN)/python -m bench figures --output docs/benchmarks $(BENCH_ARGS)
	PYTHONPATH=schemas $(BIN)/python docs/generated.py

# Mutated files, for so long; what is found ends the run and is kept as crash-*.
fuzz: .venv/.installed
	$(BIN)/pip install -q --disable-pip-version-check -e '.[fuzz]' -c constraints.txt
	PYTHONPATH=tests $(BIN)/python -m fuzz -max_total_time=$(FUZZ_SECONDS) $(FUZZ_ARGS)

# What lies beside the bakery's schemas: its lock with goldens, and JSON Schemas; and what pages show.
generated: .venv/.installed
	PYTHONPATH=schemas:tests $(BIN)/python -m support.bakery_lock
	PYTHONPATH=schemas $(BIN)/python -m bakery.jsonfiles
	PYTHONPATH=schemas $(BIN)/python docs/generated.py

clean:
	rm -rf .venv .venv-applications docs/_build .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .coverage
	find src schemas tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install -q --disable-pip-version-check -e '.[test,check]' -c constraints.txt
	touch $@

.venv-applications/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear .venv-applications
	.venv-applications/bin/pip install -q --disable-pip-version-check -e '.[test]' $(APPLICATIONS) -c constraints.txt
	touch $@
