# What one needs from a fresh clone. `make help` lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

TARGET := $(or $(CARGO_TARGET_DIR),target)
TOOLS := $(TARGET)/test-tools
DATA ?= ./data
CARGO ?= cargo

# The dashboard is optional for the binary: without its build, `/` says how to make it.
UI := $(wildcard ui/package.json)

.PHONY: help
help: ## List what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: ui ## Build for release and serve ./data on https://localhost:8443 (DATA=… for another directory)
	@[[ -x $(TARGET)/release/certwright ]] || \
	  echo "First build: compiles Certwright and its libraries in release mode, about ten minutes on two cores. Later ones take one or two."
	@$(CARGO) build --release --locked -p certwright
	@exec $(TARGET)/release/certwright serve --data "$(DATA)"

.PHONY: build
build: ui ## Build the binary for release
	$(CARGO) build --release --locked -p certwright

.PHONY: ui
ui: ## Build the dashboard, if its source has changed
ifneq ($(UI),)
ui: ui/dist/index.html
ui/node_modules/.package-lock.json: ui/package-lock.json
	npm --prefix ui ci --no-audit --no-fund
	@touch $@
ui/dist/index.html: ui/node_modules/.package-lock.json $(shell find ui -path ui/node_modules -prune -o -path ui/dist -prune -o -type f -print 2>/dev/null)
	npm --prefix ui run build
	@touch $@
endif

.PHONY: ui-check
ui-check: ui/node_modules/.package-lock.json
	npm --prefix ui run check

.PHONY: ui-api
ui-api: ## Write ui/openapi.json anew, after a change of the API
	CERTWRIGHT_WRITE_DESCRIPTION=1 $(CARGO) test --locked -p certwright-frontends --lib the_dashboard_is_made_from_this_description

.PHONY: test-tools
test-tools: ## Install what the tests run beside cargo
	@scripts/install-test-tools.sh "$(TARGET)"

# Modules of the integration suite that run on SQLite and on PostgreSQL.
ON_BOTH := ^(access|acme|approvals|rest|bulk|cli|cli_apply|cli_enroll|cmp|crash|enroll|est|events|housekeeping|inventory|inventory_import|inventory_trends|issuance_rules|issuers|jobs|lying_ca|metadata|network|notifications|pki_frontend|profiles|scep|sign_in)::

# nextest gives every test a process of its own and ends those that hang; plain `cargo test` runs them as well.
.PHONY: test
test: test-tools ui ## Install what the tests need and run all of them
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
	  $(CARGO) nextest run --workspace --locked $(if $(CI),--profile ci); \
	  echo "The same once more on PostgreSQL, what does not belong to one engine or to no database:"; \
	  CERTWRIGHT_TEST_DATABASE=postgres $(CARGO) nextest run --workspace --locked $(if $(CI),--profile ci) \
	    -E 'package(certwright) and binary(all) and test(/$(ON_BOTH)/)'; \
	  $(CARGO) test --workspace --locked --doc; \
	else \
	  $(CARGO) test --workspace --locked; \
	  CERTWRIGHT_TEST_DATABASE=postgres $(CARGO) test --locked -p certwright --test all acme; \
	fi

.PHONY: check
check: fmt-check clippy deny docs ui-check ## Formatting, lints, licences and bans, documentation, the dashboard's source

.PHONY: fmt
fmt: ## Format the source
	$(CARGO) fmt --all

.PHONY: fmt-check
fmt-check:
	$(CARGO) fmt --all --check

.PHONY: clippy
clippy:
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

# Building cargo-deny takes some minutes, once. Advisories need a database from the network: `make audit`.
DENY := $(shell command -v cargo-deny || echo "$(TOOLS)/bin/cargo-deny")
$(TOOLS)/bin/cargo-deny:
	@echo "cargo-deny is not installed: building it into $(TOOLS), once"
	$(CARGO) install --quiet --locked --root "$(TOOLS)" cargo-deny

.PHONY: deny
deny: $(DENY)
	$(DENY) --locked check --hide-inclusion-graph bans licenses sources

.PHONY: audit
audit: $(DENY) ## Look for known vulnerabilities in the dependencies (fetches the advisory database)
	$(DENY) --locked check advisories

# Private items are documented too, so links to them lead somewhere.
.PHONY: docs
docs:
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" $(CARGO) doc --workspace --no-deps --locked --document-private-items

.PHONY: bench
bench: ## Measure speed and memory, beside other ACME servers that are installed
	@scripts/bench.sh

.PHONY: dist
dist: ui ## Build the binary that is shipped, with its manual pages and completions, into target/certwright-*.tar.gz
	@CARGO="$(CARGO)" scripts/dist.sh "$(TARGET)"

.PHONY: clean
clean: ## Remove what was built (keeps ./data)
	$(CARGO) clean
	rm -rf ui/dist/* ui/node_modules "$(TOOLS)"
