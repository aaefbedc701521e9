# make demo    the main job, end to end: as root on real routers in network namespaces, else on virtual devices
#              (DEMO_ARGS=--virtual · --exit · "--scenario lab/scenarios/in_trouble.yaml")
# make test    style, types, import contracts, all tests
# make check   style, types, import contracts only
# make golden  write golden files and lab/containerlab.yml anew; read the diff before you commit it
# make lab     boot the lab and leave it running        make serve   the dashboard of this workspace
# make lock    resolve the locked dependency versions anew

SHELL := /bin/bash
PYTHON ?= $(shell for p in /usr/bin/python3.11 python3.11 python3; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# Debian 12 packages: routers, agents and clients of the lab; what tests and the demo alert, store, relay and look at pages with.
LAB_PACKAGES := frr frr-snmp snmpd snmp snmptrapd openssh-server openssh-client iproute2 nftables iperf3 fping iputils-ping procps netcat-openbsd
LOOK_PACKAGES := prometheus prometheus-alertmanager chromium fonts-noto-cjk postgresql nginx
PACKAGES := python3-venv $(LAB_PACKAGES) $(LOOK_PACKAGES)

.PHONY: demo test check golden lab serve lock soak system-packages clean
.DELETE_ON_ERROR:

demo: .stamp-venv
	$(BIN)/waiwang demo $(DEMO_ARGS)

# Four workers on two cores: much of a test is waiting for a router, a trial window, a scrape.
test: check
	$(BIN)/pytest -n 4 --no-loadscope-reorder $(PYTEST_ARGS)
	TZ=America/New_York $(BIN)/pytest -q tests/unit

check: .stamp-venv
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

golden: .stamp-venv
	$(BIN)/pytest -q --update-golden tests/golden tests/unit

lab: .stamp-venv
	$(BIN)/waiwang lab up

serve: .stamp-venv
	$(BIN)/waiwang serve

soak: .stamp-venv
	$(BIN)/pytest -m slow $(PYTEST_ARGS)

# Packages are installed when root; otherwise what is missing is said, and what can run without them runs.
system-packages:
	@if ! command -v dpkg-query >/dev/null; then echo "not Debian: install by hand: $(PACKAGES)"; exit 0; fi; \
	missing=""; for p in $(PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then \
	  printf '#!/bin/sh\nexit 101\n' > /tmp/waiwang-policy-rc.$$$$; \
	  keep=0; [ -e /usr/sbin/policy-rc.d ] && keep=1; [ $$keep = 1 ] || install -m 755 /tmp/waiwang-policy-rc.$$$$ /usr/sbin/policy-rc.d; rm -f /tmp/waiwang-policy-rc.$$$$; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; result=$$?; \
	  [ $$keep = 1 ] || rm -f /usr/sbin/policy-rc.d; exit $$result; \
	else echo "not installed (as root: apt-get install$$missing); what needs them is skipped with its reason"; fi

.stamp-venv: requirements.lock pyproject.toml | system-packages
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed; on Debian 12: apt-get install python3 python3-venv"; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) has no ensurepip; on Debian 12, as root: apt-get install python3-venv"; exit 2; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install -q --disable-pip-version-check --use-pep517 --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

lock:
	uv pip compile pyproject.toml --extra dev --python-version 3.11 --generate-hashes --no-emit-index-url -q \
	  --custom-compile-command "make lock" -o requirements.lock

clean:
	rm -rf .venv .stamp-venv out build *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
