PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed

.PHONY: lessons notebooks site test types tests test-deep test-matrix bench clean

lessons: $(STAMP)  ## run every lesson in both engines, compare, write runs/report.html
	$(BIN)/python -m curriculum run --all

notebooks: $(STAMP)  ## make the notebooks of curriculum/notebooks anew, with outputs
	$(BIN)/python -m curriculum notebooks

site: $(STAMP)  ## the course as a site that opens from the disk, runs/site/index.html
	$(BIN)/python -m curriculum site

test: $(STAMP)  ## style, and then types beside the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MAKE) --no-print-directory -j 2 types tests

types: $(STAMP)
	$(BIN)/mypy

tests: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadgroup -q

test-deep: $(STAMP)  ## the tests with many more drawn examples, and compiled loops that look at every index
	$(BIN)/python -m parity faults
	NUMBA_BOUNDSCHECK=1 $(BIN)/python -m pytest -n 2 --dist loadgroup -q tests/test_kernels.py tests/test_kernels_conv.py tests/test_kernels_reached.py
	HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest -n 2 --dist loadgroup -q

test-matrix: $(STAMP)  ## what is installed, by each Python that is here, oldest and newest dependencies, and all tests
	$(BIN)/nox

bench: $(STAMP)  ## time both engines
	$(BIN)/python -m benchmarks

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "minigrad needs Python 3.11 or newer; $(PYTHON) is missing or older. Try: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	touch $@

clean:
	rm -rf runs build .nox *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
