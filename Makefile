# The two commands that matter first are `make run` and `make test`: they need Go, make and git.
# `make`, or `make help`, explains the others.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

GO        ?= go
BENCH     ?= .
FUZZTIME  ?= 10s
PLATFORMS ?= linux/386 darwin/arm64 freebsd/amd64

# The linters, at exact versions. They are built from source and need nothing installed.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

OURS := ./kernel/...,./session/...,./wheel/...,./filter/...,./component/...,./cmd/...

.PHONY: help
help: ## Show this list
	@echo "POE for Go. Start with \`make run\` and \`make test\`; they need only Go, make and git."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Every day.

.PHONY: run
run: ## Send a few mails to a receiving server, by events, and show each dialogue
	CGO_ENABLED=0 $(GO) run ./cmd/poe demo

.PHONY: build
build: ## Build the binary into bin/poe
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/poe ./cmd/poe

.PHONY: test
test: ## Run the tests that need nothing installed
	CGO_ENABLED=0 $(GO) test ./...

.PHONY: conformance
conformance: ## Run the ports of POE's recorded cases, one line each
	cd test/conformance && CGO_ENABLED=0 $(GO) test -count=1 -run '^TestRecorded$$' -report

.PHONY: bench
bench: ## Measure beside the peers, in turns, and print ratios (BENCH=pattern chooses)
	CGO_ENABLED=0 $(GO) run ./test/bench -run '$(BENCH)'

.PHONY: fuzz
fuzz: ## Run each fuzz test for FUZZTIME (10s)
	GO="$(GO)" .ci/fuzz $(FUZZTIME)

.PHONY: cover
cover: ## Show how much of the code the tests reach; the profile is build/cover.out
	@mkdir -p build
	CGO_ENABLED=0 $(GO) test -coverpkg=$(OURS) -coverprofile=build/cover.out ./...
	$(GO) tool cover -func=build/cover.out | tail -n 1

# Checks.

.PHONY: check-all
check-all: ## Run every check, as .ci/run does; what cannot run here says what it needs
	bash .ci/run

.PHONY: vet
vet: ## Run go vet, also on the tests with build tags
	$(GO) vet ./...
	$(GO) vet -tags interop ./test/interop/...

.PHONY: format
format: ## Name the files that gofmt would change; there must be none
	@bad=$$(gofmt -l .) && if [ -n "$$bad" ]; then echo "gofmt would change:"; echo "$$bad"; exit 1; fi

.PHONY: modules
modules: ## Check that go.mod and go.sum are complete and hold nothing superfluous
	$(GO) mod tidy -diff
	$(GO) mod verify

.PHONY: cross
cross: ## Compile for the other platforms
	@for p in $(PLATFORMS); do \
		echo "$$p"; \
		GOOS=$${p%/*} GOARCH=$${p#*/} CGO_ENABLED=0 $(GO) build ./... || exit 1; \
		GOOS=$${p%/*} GOARCH=$${p#*/} CGO_ENABLED=0 $(GO) vet ./... || exit 1; \
	done

.PHONY: race
race: ## Run the tests under the race detector (needs a C compiler)
	@command -v $$($(GO) env CC) >/dev/null || { \
		echo "race: needs a C compiler. On Debian: apt-get install gcc libc6-dev" >&2; exit 1; }
	CGO_ENABLED=1 $(GO) test -race ./...

.PHONY: lint
lint: ## Run staticcheck and golangci-lint (built on first use: some minutes)
	$(GO) run $(STATICCHECK) -tags interop ./...
	$(GO) run $(GOLANGCI) run

.PHONY: interop
interop: ## Exchange mail with real servers and clients (needs root, after .ci/install)
	$(GO) test -count=1 -timeout 15m -tags interop ./test/interop/...

# The recorded cases.

.PHONY: perl
perl: ## Run the recorded Perl programs again and show differences (needs libpoe-perl)
	test/conformance/rerecord

.PHONY: conformance-update
conformance-update: ## Replace the recorded cases by those in the folder FROM
	@test -n "$(FROM)" && test -d "$(FROM)" || { \
		echo "usage: make conformance-update FROM=folder" >&2; exit 1; }
	rm -f test/conformance/testdata/*.pl test/conformance/testdata/*.out test/conformance/testdata/*.md
	cp "$(FROM)"/*.pl "$(FROM)"/*.out "$(FROM)"/*.md test/conformance/testdata/

# The rest.

.PHONY: clean
clean: ## Remove what the other targets made
	rm -rf bin build
