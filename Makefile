# Everything a fresh machine needs is Python >= 3.11 and make.
PYTHON ?= python3
# PIP_ARGS='--extra-index-url URL', the CPU index that pytorch.org's install page names: torch without CUDA.
PIP_ARGS ?=
BIN := .venv/bin

.PHONY: bench test lint docs reference smoke-lowest smoke-highest clean
.DEFAULT_GOAL := bench

# One stamp: reinstalled only when what is declared or pinned changes, or the version.
.venv/installed: pyproject.toml constraints.txt sr_bench/__init__.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "sr-bench needs Python 3.11 or newer; try: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS) -e '.[dev]'
	touch $@

bench: .venv/installed  ## run the main job: every claim under suites/
	$(BIN)/python -m pytest suites/ --backend=vacc --sr-keep=8bit --sr-report=markdown,html

# In the order of collection: xdist would start the files of few tests last, which are the slow ones.
# And compiled once: where nothing may be written beside a module, each process that a test starts
# compiles all of them again, and each worker rewrites all asserts.
test: export PYTHONDONTWRITEBYTECODE :=
test: .venv/installed  ## run the project's own tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/installed docs  ## style, types, direction of imports, links of all pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# From scratch: what is not built again is not checked again.
docs: .venv/installed  ## build/site/index.html, the documentation, which opens from disk
	$(BIN)/sphinx-build -q -W -E -c docs -d build/doctrees . build/site

reference: .venv/installed  ## write what the code says into docs/
	$(BIN)/python -m docs.generate

smoke-lowest smoke-highest: smoke-%:  ## a short run with the lowest or highest versions declared
	PYTHON=$(PYTHON) PIP_ARGS='$(PIP_ARGS)' .ci/smoke $*

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .benchmarks
