# Everything a developer or an operator does here. `make help` lists it.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STACK := $(PY) -m observability.stack
CODE := app observability dashboards alerts simulator tests
COVERED := app,observability,dashboards,alerts,simulator
CACHE := $(or $(MINITWIT_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/minitwit)
# Most tests wait rather than compute: two processes share them, on however few cores. What is
# covered is counted in one (JOBS=0 does without helpers: for looking for a fault). Both have to find
# the same tests in the same order, also where a set names them: hence PYTHONHASHSEED.
JOBS ?= $(if $(COVERAGE),0,2)
SIDE_BY_SIDE := -n $(JOBS) --dist loadfile --no-loadscope-reorder
# Tests make up secrets of every kind; requirements and the table of archives are full of hashes.
HASHES := observability/stack/programs/versions.py
MADE_UP := KeywordDetector BasicAuthDetector HexHighEntropyString Base64HighEntropyString
COMPILE := $(VENV)/bin/pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras \
	--no-emit-find-links --no-emit-index-url --no-emit-trusted-host
export RUN_DIR PORT_OFFSET
# What the shell tells other Python programs is not meant for these; nor where pip is to install.
unexport $(filter PYTHON%,$(.VARIABLES)) PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER

.PHONY: $(shell awk -F: '/^[a-z-]+:/ {print $$1}' $(firstword $(MAKEFILE_LIST)))

help: ## list the targets
	@awk -F ':.*## ' '/^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

##@ Run the platform
up: $(VENV)/stack.stamp ## install what is missing, start the platform, wait until it is healthy
	@$(STACK) up

down: $(VENV)/stack.stamp ## stop the platform
	@$(STACK) down

status: $(VENV)/stack.stamp ## show each component and whether its signal arrives
	@$(STACK) status

stop: $(VENV)/stack.stamp ## stop a component until it is started again (C=api)
	@$(STACK) stop $(or $(C),$(error which component? make stop C=api))

start: $(VENV)/stack.stamp ## start a component that was stopped (C=api)
	@$(STACK) start $(or $(C),$(error which component? make start C=api))

restart: $(VENV)/stack.stamp ## stop a component and start it again (C=api)
	@$(STACK) restart $(or $(C),$(error which component? make restart C=api))

chat: $(VENV)/stack.stamp ## follow the on-call channel
	@$(STACK) chat

logs: $(VENV)/stack.stamp ## follow the logs of all components, and the services' own lines
	@$(STACK) logs

break: $(VENV)/dev.stamp ## list the faults, or inject one into the running platform (FAULT=locked)
	@$(PY) -m tests.drills.breaking $(FAULT)

##@ Fetch programs
install: $(VENV)/stack.stamp ## fetch the monitoring programs that this machine lacks
	@$(STACK) install

tools: $(VENV)/stack.stamp ## fetch the pinned programs; build what may be built where that fails (minutes, once)
	@$(STACK) tools

fetch-archives: $(VENV)/stack.stamp ## fetch the archives of all programs into DIR=, to serve as MINITWIT_MIRROR
	@$(STACK) fetch-archives $(or $(DIR),$(error say where to: make fetch-archives DIR=folder))

##@ Test and check
test: lint typecheck secrets workflows ## all checks and tests; ends with what could not be tested (STRICT=1 fails then)
	@$(STACK) tools >/dev/null || true # what is missing is said by the tests, and in the last line
	@PYTHONHASHSEED=0 $(PY) $(if $(COVERAGE),-m coverage run --source=$(COVERED)) -m pytest $(SIDE_BY_SIDE) \
		--untested=$(if $(STRICT),fail,tell)
	@$(if $(COVERAGE),$(PY) -m coverage xml --quiet)

story: $(VENV)/dev.stamp ## run only the story: api stops, the alert arrives in the chat, and the all-clear
	@$(PY) -m pytest -m stack

nominal: $(VENV)/dev.stamp ## measure the scenario at nominal speed; writes results/nominal.json
	@$(PY) -m tests.stack.nominal

##@ Dashboards and alerts
preview: $(VENV)/stack.stamp ## draw the dashboards of the running platform without Grafana
	@$(STACK) preview

pictures: $(VENV)/dev.stamp ## draw dashboards, page and chat of the running platform into docs/pictures/
	@$(PY) -m tests.pictures

changed-boards: $(VENV)/dev.stamp ## draw the dashboards that differ from BASE=origin/main, before and after
	@$(PY) -m tests.changed_boards $(BASE)

##@ Break and measure
drill: $(VENV)/dev.stamp ## break everything on purpose (DRILL=name, TIMES=n); adds the runs to results/drill.json
	@$(STACK) tools >/dev/null
	@$(PY) -m tests.drills $(DRILL) $(if $(TIMES),--times $(TIMES))

healthy: $(VENV)/dev.stamp ## two hours of load, restarts, a deploy, in which nothing may fire; writes results/healthy.json
	@$(STACK) tools >/dev/null
	@$(PY) -m tests.drills.healthy

bench: $(VENV)/dev.stamp $(if $(filter peers,$(SUITE)),$(VENV)/peers.stamp) ## measure what MiniTwit costs and bears (SUITE=name); writes results/bench.json
	@$(STACK) tools >/dev/null
	@$(PY) -m tests.bench $(SUITE)

bench-full: $(VENV)/dev.stamp ## reads at five million messages; writes results/bench-full.json
	@$(STACK) tools >/dev/null
	@$(PY) -m tests.bench --full

soak: $(VENV)/dev.stamp ## an hour of load and random faults (MINUTES=n); writes results/soak.json
	@$(STACK) tools >/dev/null
	@$(PY) -m tests.soak $(if $(MINUTES),--minutes $(MINUTES))

profile: $(VENV)/dev.stamp ## where api's time goes under load: docs/flame.svg
	@$(PY) -m tests.bench.profile

mutate: $(VENV)/dev.stamp ## change the monitoring on purpose and see which test notices (COUNT=n, SEED=n, ONLY=operator, LIST=1, LIVE=1, AGAIN=1)
	@$(STACK) tools >/dev/null
	@$(PY) -m tests.mutate $(if $(LIST),--list) $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) \
		$(if $(ONLY),--only $(ONLY)) $(if $(LIVE),--live) $(if $(AGAIN),--again)

tables: $(VENV)/dev.stamp ## write docs/scaling.md and the generated tables of the other pages anew
	@$(PY) -m tests.tables

bench-deploy: $(VENV)/dev.stamp ## measure requests lost by deploys; writes results/deploy.json
	@$(PY) -m tests.deploy.bench

bench-import: $(VENV)/dev.stamp ## measure the import from SQLite; writes results/import.json
	@$(PY) -m tests.transfer.bench

##@ Operate
incident: $(VENV)/incident.stamp ## draft a post-mortem (SINCE=30m or a time, UNTIL=, OUT=file)
	@$(PY) -m alerts.incident $(if $(OUT),--out "$(OUT)") \
		"$(or $(SINCE),$(error since when? make incident SINCE=30m))" $(if $(UNTIL),"$(UNTIL)")

alert-test: $(VENV)/stack.stamp ## send a test alert to every receiver that is set, and report its delivery
	@$(STACK) alert-test

backup: $(VENV)/stack.stamp ## take a backup of the database that runs
	@$(STACK) backup

restore: $(VENV)/stack.stamp ## restore a backup (FILE=, else the newest) into a new database; SWAP=1 uses it
	@$(STACK) restore $(if $(SWAP),--swap) $(FILE)

psql: $(VENV)/stack.stamp ## open psql on the platform's database, as its owner
	@$(STACK) psql

##@ Develop
lint: $(VENV)/dev.stamp ## look for mistakes and for unformatted code
	@$(VENV)/bin/ruff check $(CODE)
	@$(VENV)/bin/ruff format --check $(CODE)
	@$(VENV)/bin/lint-imports --no-logo >.lint-imports 2>&1 || { cat .lint-imports; exit 1; }; rm -f .lint-imports
	@$(VENV)/bin/hadolint Dockerfile deploy/irc-server/Dockerfile
	@$(VENV)/bin/shellcheck -x alerts/*.sh blackbox/*.sh promtail/*.sh deploy/*.sh deploy/*/*.sh tests/deploy/*.sh

secrets: $(VENV)/dev.stamp ## look for secrets in what git knows
	@$(VENV)/bin/detect-secrets-hook \
		$$(git ls-files ':!tests' ':!requirements' ':!results' ':!*.sum' ':!docs' ':!$(HASHES)')
	@$(VENV)/bin/detect-secrets-hook $(MADE_UP:%=--disable-plugin %) $$(git ls-files tests) $(HASHES)

workflows: $(VENV)/dev.stamp ## check the pipeline (actionlint, zizmor)
	@$(VENV)/bin/zizmor --offline --quiet .github/workflows
	@$(STACK) tools actionlint >/dev/null && $(CACHE)/bin/actionlint || \
		{ [ ! -x $(CACHE)/bin/actionlint ] && echo "WITHOUT ACTIONLINT: the workflows are checked by zizmor alone." >&2; }

hooks: $(VENV)/dev.stamp ## check what changed at each commit, as CI would (pre-commit)
	@$(VENV)/bin/pre-commit install

fmt: $(VENV)/dev.stamp ## format the code
	@$(VENV)/bin/ruff check --fix --quiet $(CODE)
	@$(VENV)/bin/ruff format $(CODE)

typecheck: $(VENV)/dev.stamp ## check the types (mypy, strict)
	@$(VENV)/bin/mypy

dashboards: $(VENV)/dev.stamp ## generate the dashboards, the rules and what compose mounts
	@$(PY) -m dashboards
	@$(PY) -m alerts
	@$(PY) -m observability.stack.config.generate
	@$(PY) -m observability.stack.programs.digests

check: $(VENV)/dev.stamp ## check that the generated files are up to date
	@$(PY) -m dashboards --check
	@$(PY) -m alerts --check
	@$(PY) -m observability.stack.config.generate --check
	@$(PY) -m observability.stack.programs.digests --check

third-party: $(VENV)/dev.stamp ## write THIRD_PARTY.md anew from the requirements and the table of versions
	@$(PY) -m tests.third_party

lock: $(VENV)/dev.stamp ## pin the requirements anew, with hashes
	@$(COMPILE) --output-file=requirements/app.txt pyproject.toml
	@$(COMPILE) --extra=stack --output-file=requirements/stack.txt pyproject.toml
	@$(COMPILE) --extra=stack --extra=incident --output-file=requirements/incident.txt pyproject.toml
	@$(COMPILE) --extra=stack --extra=dev --output-file=requirements/dev.txt pyproject.toml
	@$(COMPILE) --extra=peers --output-file=requirements/peers.txt pyproject.toml
	@$(COMPILE) --output-file=requirements/go.txt requirements/go.in

clean: ## stop the platform and remove its state and all caches; fetched programs stay
	@if [ -x $(PY) ]; then $(STACK) down; fi
	@[ ! -L .run/data/postgres ] || rm -rf "$$(readlink -f .run/data/postgres)"
	@rm -rf .run .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage build test-output *.egg-info
	@find $(CODE) -name __pycache__ -prune -exec rm -rf {} +

# ---- the Python environment; a stamp says what it holds ------------------------------------
$(VENV)/venv.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "MiniTwit needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu install the package python3-venv." >&2; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/peers.stamp: requirements/peers.txt | $(VENV)/venv.stamp
	@echo "Installing $< into $(VENV)/peers ..."
	@$(PYTHON) -m venv $(VENV)/peers
	@$(VENV)/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/%.stamp: requirements/%.txt | $(VENV)/venv.stamp
	@echo "Installing $< into $(VENV) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
