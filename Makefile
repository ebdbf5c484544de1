# Everything a developer runs. Needs make and a Python 3.11 or newer on the path; the rest
# (uv, a Python 3.12 or newer where there is none, every package) is set up in this folder.

PYTHON ?= python3
PROCESSES ?= 2
ARGS ?=

UV := .uv/uv
BIN := .venv/bin
INSTALL := $(UV) pip install --quiet --python $(BIN)/python

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two targets fill the one .venv: never at the same time.
.NOTPARALLEL:
.PHONY: help demo test lint docs format benchmark requirements hooks news clean

help: ## say what there is
	@echo "make demo         set up, then run the main job on the built-in study"
	@echo "make test         set up, then run the tests (ARGS='-k name' to choose)"
	@echo "make lint         check style, types and the rooms' imports"
	@echo "make docs         build the documentation, running its examples"
	@echo "make format       format and mend what can be mended"
	@echo "make benchmark    run the speed suite beside its peers"
	@echo "make hooks        let git run the linters before each commit"
	@echo "make news         show the changelog that the fragments in news/ make"
	@echo "make requirements pin every package anew in requirements/"
	@echo "make clean        remove all that the other targets made"

demo: .venv/core.done
	$(BIN)/consilience demo $(ARGS)

test: .venv/dev.done
	$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal $(ARGS)

lint: .venv/dev.done
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/docs.done
	$(BIN)/python -m sphinx --jobs $(PROCESSES) --fresh-env --fail-on-warning --quiet docs docs/_build/html
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
	rm -rf .uv .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf docs/_build docs/reference/models build dist

# The environment: one .venv for all, filled as far as the target asks. The files in
# requirements/ agree on every version, so that none undoes another.

$(UV): | requirements/get-uv requirements/uv.txt
	@sh requirements/get-uv $(PYTHON)

.venv/pyvenv.cfg: | $(UV)
	$(UV) venv --quiet --clear .venv

.venv/%.done: requirements/%.txt pyproject.toml .venv/pyvenv.cfg | $(UV)
	$(INSTALL) --require-hashes -r $<
	$(INSTALL) --no-deps --no-build-isolation --reinstall-package consilience -e .
	@touch $@

# The pins. The runtime, with what the report of the demonstration needs, comes first; the
# others take its versions as given.

COMPILE := $(UV) --no-config pip compile --quiet --universal --python-version 3.12 \
	--generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade

requirements: $(UV)
	$(COMPILE) pyproject.toml --group build --extra report -o requirements/core.txt
	$(COMPILE) pyproject.toml --group dev --extra classifiers --extra report -c requirements/core.txt -o requirements/dev.txt
	$(COMPILE) pyproject.toml --group docs --extra classifiers --extra report -c requirements/core.txt -c requirements/dev.txt -o requirements/docs.txt
	$(COMPILE) pyproject.toml --group benchmark --extra benchmark --extra classifiers --extra report -c requirements/core.txt -c requirements/dev.txt -c requirements/docs.txt -o requirements/benchmark.txt
	$(COMPILE) pyproject.toml --group build --extra export --extra classifiers -c requirements/core.txt -c requirements/dev.txt -o requirements/export.txt
	echo uv | $(COMPILE) - -o requirements/uv.txt
	@! grep -nE '://|--find-links|--index|^\.|^/' requirements/*.txt
