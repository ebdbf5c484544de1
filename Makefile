# Development tasks. They require make and Python 3.11 or newer on the path; everything
# else (uv, Python 3.12 or newer if missing, all packages) is installed in this folder.

PYTHON ?= python3
PROCESSES ?= 2
ARGS ?=

UV := .uv/uv
BIN := .venv/bin
INSTALL := $(UV) pip install --quiet --python $(BIN)/python

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Several targets write to the same .venv, so they must not run in parallel.
.NOTPARALLEL:
.PHONY: help demo test lowest studies lint docs format benchmark requirements hooks news clean

help: ## list the targets
	@echo "make demo         run the main workflow on the built-in study"
	@echo "make test         run the tests (ARGS='-k name' to select)"
	@echo "make lowest       run them with the oldest versions that are allowed"
	@echo "make studies      run the long statistical studies"
	@echo "make lint         check style, types and imports"
	@echo "make docs         build the documentation and run its examples"
	@echo "make format       format the code and apply automatic fixes"
	@echo "make benchmark    run the speed benchmarks against other programs"
	@echo "make hooks        run the linters before each commit"
	@echo "make news         show the changelog built from news/"
	@echo "make requirements update all pinned versions in requirements/"
	@echo "make clean        remove the output of all other targets"

demo: .venv/core.done
	$(BIN)/consilience demo $(ARGS)

# As many processes as there are processors: threads of a process would wait for them.
# Commands and kernels are processes of their own and share the bytecode of all modules.
test lowest docs: export OPENBLAS_NUM_THREADS ?= 1
test lowest docs: export PYTHONDONTWRITEBYTECODE :=
test lowest docs: export PYTHONPYCACHEPREFIX ?= $(CURDIR)/.cache/bytecode
test: .venv/dev.done
	$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal $(ARGS)

# Old packages call what newer ones of theirs have deprecated.
lowest: .venv-lowest/dev.done
	.venv-lowest/bin/python -m pytest -n $(PROCESSES) --dist worksteal -W ignore::DeprecationWarning $(ARGS)

# Studies run for longer than they compile: XLA optimizes as it does for users.
studies: export XLA_FLAGS ?=
studies: .venv/dev.done
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadscope -m study $(ARGS)

# Of a merge, in tracked texts; outside a git checkout nothing is searched.
CONFLICT := '^(<{7}|[|]{7}|>{7})( |$$)|^={7}$$'

lint: .venv/dev.done
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@! git grep -nIE $(CONFLICT) 2>/dev/null || { echo 'conflict markers: resolve the merge'; exit 1; }

# Examples compile for longer than they run: XLA optimizes nothing, as for the tests, which
# find in the cache what the pages have compiled. A page waits while its kernel runs, and
# pages are dealt out in batches: one process more keeps all processors busy.
docs: export XLA_FLAGS ?= --xla_backend_optimization_level=0
docs: .venv/docs.done
	$(BIN)/python -m sphinx --jobs $$(($(PROCESSES) + 1)) --fresh-env --fail-on-warning --quiet docs docs/_build/html
	@echo "docs: docs/_build/html/index.html"

format: .venv/dev.done
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

benchmark: .venv/benchmark.done
	$(BIN)/python -m benchmarks $(ARGS)

hooks: .venv/dev.done
	$(BIN)/prek install

news: .venv/dev.done
	$(BIN)/towncrier build --draft

clean:
	rm -rf .uv .venv .venv-lowest .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf docs/_build docs/reference/models build dist

# One .venv serves all targets, each of which installs what it needs. The files in
# requirements/ agree on every version, so that they are compatible.

$(UV): | requirements/get-uv requirements/uv.txt
	@sh requirements/get-uv $(PYTHON)

.venv/pyvenv.cfg: | $(UV)
	$(UV) venv --quiet --clear .venv

.venv/%.done: requirements/%.txt pyproject.toml .venv/pyvenv.cfg | $(UV)
	$(INSTALL) --require-hashes -r $<
	$(INSTALL) --no-deps --no-build-isolation --reinstall-package consilience -e .
	@touch $@

# The oldest versions that pyproject.toml allows, on the oldest Python.
.venv-lowest/dev.done: pyproject.toml | $(UV)
	$(UV) venv --quiet --clear --python 3.12 .venv-lowest
	$(UV) pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct \
		--group dev -e '.[classifiers-cpu,duckdb,fsspec,plots,report]'
	@touch $@

# The pinned versions. The runtime dependencies, with those of the report, are resolved
# first; the others are constrained by them.

COMPILE := $(UV) --no-config pip compile --quiet --universal --python-version 3.12 \
	--generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade

requirements: $(UV)
	$(COMPILE) pyproject.toml --group build --extra report -o requirements/core.txt
	$(COMPILE) pyproject.toml --group dev --extra classifiers --extra duckdb --extra fsspec --extra plots --extra report -c requirements/core.txt -o requirements/dev.txt
	$(COMPILE) pyproject.toml --group docs --extra classifiers --extra plots --extra report -c requirements/core.txt -c requirements/dev.txt -o requirements/docs.txt
	$(COMPILE) pyproject.toml --group benchmark --extra classifiers --extra report -c requirements/core.txt -c requirements/dev.txt -c requirements/docs.txt -o requirements/benchmark.txt
	$(COMPILE) pyproject.toml --group export --extra classifiers -c requirements/core.txt -c requirements/dev.txt -o requirements/export.txt
	echo uv | $(COMPILE) - -o requirements/uv.txt
	@! grep -nE '://|--find-links|--index|^\.|^/' requirements/*.txt
