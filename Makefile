# `make up` and `make test` are the two commands that a fresh machine needs; both install what they need.
STACK ?= local
BASE ?= HEAD~1
PYTHON ?= python3
BIN := .venv/bin
E2E := $(BIN)/python -m pytest -m e2e --reruns 2 --durations=0 --durations-min=5 -rR
BESIDE := tests/e2e/test_certificate.py tests/e2e/test_monitoring.py tests/e2e/test_reload.py
INSTALLED := .venv/.installed
# Recipes take what a caller gives from the environment: a branch's name, say, is text there and never a command.
export STACK BASE ARRIVALS MIRROR IMAGE_TAG BASE_IMAGE DOWNLOADS BUILDER PUSH

.DEFAULT_GOAL := help
.PHONY: help up down status verify purge plan simulate plan-diff images scan test lint types programs unit plugins e2e e2e-platform e2e-beside browser registries image bench golden dashboards clouds handbook schema vocabulary

help: ## Show what there is
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# To standard error: what a target prints may be read by others (`make plan-diff MARKDOWN=1 > comment.md`).
$(INSTALLED): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than 3.11; name another: make PYTHON=python3.12 …" >&2; exit 1; }
	@echo "==> Python packages" >&2
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv >&2 || { echo "error: $(PYTHON) can't make virtual environments; install its venv package (Debian: python3-venv)" >&2; exit 1; }
	@began=$$(date +%s); $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt >&2 && echo "    Python packages: $$(( $$(date +%s) - began )) s" >&2
	@touch $@

up: $(INSTALLED) ## Bring STACK up (local: with a cluster of its own)
	@$(BIN)/python -m operate up --stack "$$STACK"

down: $(INSTALLED) ## Take STACK away, all but protected data
	@$(BIN)/python -m operate down --stack "$$STACK"

status: $(INSTALLED) ## Say what runs
	@$(BIN)/python -m operate status --stack "$$STACK"

verify: $(INSTALLED) ## Prove that NetworkPolicies hold on the cluster of STACK (make up does it too)
	@$(BIN)/python -m operate verify --stack "$$STACK"

purge: $(INSTALLED) ## Delete the data that `make down` left, after asking
	@$(BIN)/python -m operate purge --stack "$$STACK"

plan: $(INSTALLED) ## Show what STACK is made of, without cluster or Pulumi
	@$(BIN)/python -m planning plan --stack "$$STACK"

simulate: $(INSTALLED) ## A day of STACK: nodes, waiting times and cost (ARRIVALS=day.csv for your own figures)
	@$(BIN)/python -m planning simulate --stack "$$STACK" $(if $(ARRIVALS),--arrivals "$$ARRIVALS")

plan-diff: $(INSTALLED) ## Show what changes between BASE and the working tree, in every stack (MARKDOWN=1: as a comment)
	@$(BIN)/python -m planning diff --base "$$BASE" $(if $(MARKDOWN),--markdown)

images: $(INSTALLED) ## List every image of STACK (SIZES=1: asks the registries; MIRROR=registry.example.org: the script to mirror them)
	@$(BIN)/python -m planning images --stack "$$STACK" $(if $(SIZES),--sizes) $(if $(MIRROR),--mirror "$$MIRROR")

# A big package with pins of its own, so it has an environment of its own.
build/checkov/bin/checkov:
	@echo "==> checkov"; $(PYTHON) -m venv build/checkov && build/checkov/bin/pip install --quiet --disable-pip-version-check checkov==3.3.30

scan: STACK := prod
scan: $(INSTALLED) build/checkov/bin/checkov ## A static scanner over prod's manifests: nothing open that policy/scan.yaml gives no reason for
	@mkdir -p build; $(BIN)/python -m planning plan --stack "$$STACK" > build/scan-plan.txt || { cat build/scan-plan.txt >&2; exit 1; }
	@$(BIN)/python -m planning.scan --checkov build/checkov/bin/checkov "build/$$STACK"

# The plugins' tests mostly wait for an API server, so they run beside the others.
test: lint types programs ## Everything that needs neither root nor a node
	@mkdir -p build; $(MAKE) --no-print-directory -o programs plugins > build/plugins.log 2>&1 & beside=$$!; \
	trap 'kill $$beside' INT TERM; $(MAKE) --no-print-directory -o programs unit; unit=$$?; \
	wait $$beside; beside=$$?; echo "==> the plugins' tests, which ran beside"; cat build/plugins.log; \
	[ $$unit -eq 0 ] && [ $$beside -eq 0 ]

programs: $(INSTALLED)
	@$(BIN)/python lab/lab build --checkers && $(BIN)/python lab/lab build --no-packages

lint: $(INSTALLED)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet .

types: $(INSTALLED)
	@$(BIN)/ty check

# Byte code is kept whatever the environment says: every worker would compile all of the program and of the tests anew.
# A worker waits much of its time, for servers and kernels of the tests, so there are more than twice as many as cores:
# on two cores 88 s with five, 93 with three. Whoever has no tests left takes some of another's.
unit: programs
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n $$($(BIN)/python -c "import os; print(2 * (os.cpu_count() or 1) + 1)") --dist worksteal

plugins: programs ## The stand-in providers against a real API server
	@$(BIN)/python -m pytest lab/tests lab/plugins/tests -m "not e2e"

browser: ## Debian's chromium, for the tests that need a real browser
	@command -v chromium >/dev/null || { echo "==> chromium"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null || { echo "error: chromium can't be installed here; install it by hand" >&2; exit 1; }; }

# The registry is unpacked, not installed: its package would start a service on every address of the machine.
registries: ## Debian's skopeo and docker-registry, for the tests of images and mirrors
	@command -v skopeo >/dev/null && test -x build/registry/usr/bin/docker-registry || { echo "==> skopeo and docker-registry"; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends skopeo >/dev/null && \
	mkdir -p build/registry && cd build/registry && apt-get -o APT::Sandbox::User=root download -qq docker-registry && dpkg --extract docker-registry_*.deb . || \
	{ echo "error: skopeo and docker-registry can't be had here; install them by hand" >&2; exit 1; }; }

# These tests mostly wait, so half of them run beside the others, on a stack and with a directory of their own.
e2e: $(INSTALLED) browser registries ## The platform on a real cluster: login, work, culling, isolation, metrics, protection
	@mkdir -p build; $(MAKE) --no-print-directory e2e-beside > build/e2e-beside.log 2>&1 & beside=$$!; \
	trap 'kill $$beside' INT TERM; echo "==> the other half runs beside this one; its output follows it, from build/e2e-beside.log"; \
	$(MAKE) --no-print-directory e2e-platform; platform=$$?; wait $$beside; beside=$$?; cat build/e2e-beside.log; \
	[ $$platform -eq 0 ] && [ $$beside -eq 0 ]

e2e-platform: $(INSTALLED)
	@$(E2E) tests/e2e $(BESIDE:%=--ignore=%)

e2e-beside: $(INSTALLED)
	@$(BIN)/python lab/lab build --shippers && $(BIN)/python lab/lab build --definitions
	@$(E2E) $(BESIDE) tests/cli tests/image tests/scheduling tests/logging tests/admission lab/plugins/tests

image: $(INSTALLED) ## The notebook image, with docker, podman or buildah (IMAGE_TAG, BASE_IMAGE, DOWNLOADS, BUILDER, PUSH=1)
	@$(BIN)/python -m operate.image --tag "$$IMAGE_TAG" --base "$$BASE_IMAGE" --downloads "$$DOWNLOADS" --builder "$$BUILDER" --push "$$PUSH"

bench: $(INSTALLED) ## Plan, up, login to notebook and a storm of logins, beside a bare hub
	@$(BIN)/python -m bench

golden: $(INSTALLED) ## Write the golden files anew
	@$(BIN)/python -m pytest tests/stacks --update-golden

dashboards: $(INSTALLED) ## Write the dashboards' JSON and docs/dashboards.md anew, from the code
	@$(BIN)/python -m components.monitoring.dashboards

clouds: $(INSTALLED) ## Write docs/clouds.md anew, from the clouds' modules
	@$(BIN)/python -m clouds.handbook

handbook: $(INSTALLED) ## Write docs/policy.md anew, from the rules
	@$(BIN)/python -m policy.handbook

schema: $(INSTALLED) ## Write the stack files' JSON Schema anew
	@$(BIN)/python -m stackfile.schema

vocabulary: $(INSTALLED) ## Record what the exporters of stack local yield, for the check of rules and dashboards
	@$(BIN)/python -m tests.harness.record_vocabulary
