# Needs Python 3.11 or later, and terraform (or tofu) to run tasks. Everything else goes into .venv.
#
#   make demo          install, start everything, plan, confirm and apply the example; stay up until Ctrl-C
#   make demo ONCE=1   the same, but end after the apply
#   make up            install and start everything
#   make test          all tests, the browser's too;  make test ARGS="tests/tasks -k confirm"  some of them;  three at a
#                      time, for two processors, as many tests wait: WORKERS=n
#   make test-cluster KUBECONFIG=/path/to/kubeconfig   the tests of pods in a cluster of yours (tests/cluster/README.md)
#   make check         style, types, layers, templates, migrations, production settings
#   make bench         what docs/performance.md is written from
#   make simulate N=1000   random schedules of users, agents and faults;  make simulate SEED=7  one schedule again, made smaller;
#                      with PODS=1 those of pods
#   make fuzz-api N=100   so many requests of schemathesis to each operation of the API, other ones every time
#   make chaos MINUTES=60  real processes, killed, frozen and cut off while people work;  SEED=n  the faults of that run
#
# HOST, PORT and AGENTS are options of demo and up.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo up test check bench simulate chaos fuzz-api browser redis systemd control-plane test-cluster python

BIN := .venv/bin
PYTHON := $(or $(PYTHON),$(shell .ci/python))
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore
WHERE = $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT)) $(if $(AGENTS),--agents $(AGENTS))
SILENT = >build/last.log 2>&1 || { cat build/last.log >&2; exit 1; }
N ?= $(if $(SEED),1,300)
MINUTES ?= 60
fuzz-api: N = 100
WORKERS ?= 3

help:
	@sed -n 's/^#  //p' Makefile

demo: .venv/installed
	@$(BIN)/python manage.py demo $(WHERE) $(if $(ONCE),--once)

up: .venv/installed
	@$(BIN)/python manage.py up $(WHERE)

test: .venv/installed-dev browser redis systemd control-plane
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile $(ARGS)

test-cluster: .venv/installed-dev
	@test "$(origin KUBECONFIG)" = "command line" || \
	  { echo "Name the cluster on this command line: make test-cluster KUBECONFIG=/path/to/kubeconfig" >&2; exit 1; }
	@IACPLATFORM_TEST_KUBECONFIG="$(abspath $(KUBECONFIG))" $(BIN)/python -m pytest -q -m "cluster and not own_control_plane" $(or $(ARGS),tests)

check: .venv/installed-dev
	@mkdir -p build
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary .
	@$(BIN)/lint-imports $(SILENT)
	@git ls-files -z '*.html' | xargs -0 -r $(BIN)/djade --target-version 5.2 --check
	@.ci/check-project $(SILENT)
	@echo "All checks passed."

bench: .venv/installed-dev control-plane
	@$(BIN)/python -m benchmarks.dispatch_latency
	@$(BIN)/python -m benchmarks.throughput
	@$(BIN)/python -m benchmarks.throughput 10
	@$(BIN)/python -m benchmarks.throughput 500
	@$(BIN)/python -m benchmarks.history
	@$(BIN)/python -m benchmarks.idle_agents
	@$(BIN)/python -m benchmarks.log_ingest
	@$(BIN)/python -m benchmarks.overhead
	@$(BIN)/python -m benchmarks.overhead 60
	@$(BIN)/python -m benchmarks.scaling_traces
	@$(BIN)/python -m benchmarks.scale_up
	@$(BIN)/python -m benchmarks.warm_apply
	@$(BIN)/python -m benchmarks.second_task

simulate: .venv/installed-dev
	@PYTHONHASHSEED=0 SIMULATION_SCHEDULES=$(N) SIMULATION_STEPS=$(or $(STEPS),50) SIMULATION_SEED=$(or $(SEED),1) \
	  SIMULATION_SHRINK=$(if $(SEED),1,0) $(BIN)/python -m pytest -q -n 2 --dist loadfile --timeout 0 \
	  $(if $(PODS),tests/simulation/fleet/test_schedules_of_pods.py,tests/simulation/test_first_half.py tests/simulation/test_second_half.py)

chaos: .venv/installed-dev control-plane
	@CHAOS_MINUTES=$(MINUTES) CHAOS_SEED=$(or $(SEED),$$RANDOM) $(BIN)/python -m pytest -q -s tests/chaos/test_chaos.py

fuzz-api: .venv/installed-dev
	@OPENAPI_EXAMPLES=$(N) $(BIN)/python -m pytest -q -n 2 --timeout 0 --show-capture=no $(or $(ARGS),tests/openapi)

browser:
	@.ci/package /usr/bin/chromium chromium "the browser tests"

redis:
	@.ci/package /usr/bin/redis-server redis-server "the tests of Redis"

systemd:
	@.ci/package /usr/bin/systemd-analyze systemd "the test of the agent's unit"

control-plane: .venv/installed-dev
	@$(BIN)/python -m tests.cluster.binaries

.venv/installed: requirements.txt | python
	@echo "Installing into .venv; this takes a minute, once."
	@"$(PYTHON)" -m venv .venv || { echo "Python cannot make a .venv: install its venv module (Debian, Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	@$(PIP) -r requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	@echo "Installing what tests and checks need into .venv; this takes a minute, once."
	@$(PIP) -r requirements-dev.txt
	@touch $@

python:
	@test -n "$(PYTHON)" || exit 1
