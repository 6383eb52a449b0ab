# Everything that a developer or a continuous-integration machine runs. Needs Go 1.26, gcc (cgo: DuckDB is linked in) and make.
GO       ?= go
BIN      := bin/signallake-tui
DATA     ?= data
FUZZTIME ?= 10s
EVENTS   ?= 1000000

# An exact version: the newest that knows this Go.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/signallake-tui
	$(GO) build -trimpath -o $(BIN) ./cmd/signallake-tui

.PHONY: run
run: build ## build, then open the console over ./data (DATA=dir for another lake)
	./$(BIN) --data $(DATA)

.PHONY: test
test: lint ## every check: format, vet, floors, all tests, and the goroutines under the race detector
	$(GO) test ./...
	$(GO) test -race -short ./lake/... ./ingest/... ./tui/... ./sql/...

.PHONY: race
race: ## every test under the race detector
	$(GO) test -race ./...

.PHONY: bench
bench: build ## the benchmarks: each part with its reference beside it, then the ladder (pruning against one file, warm and cold)
	$(GO) test -run '^$$' -bench . -benchmem ./lake/... ./ingest/... ./sql/... ./tui/...
	./$(BIN) bench --data $(DATA)

.PHONY: ladder
ladder: build ## the ladder alone, at EVENTS (1000000) events
	./$(BIN) bench --data $(DATA) --events $(EVENTS)

.PHONY: bench-docs
bench-docs: build ## the ladder at EVENTS (1000000) events, written to docs/BENCHMARKS.md; each size keeps its section
	./$(BIN) bench --data $(DATA) --events $(EVENTS) --write docs/BENCHMARKS.md

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (10s)
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; \
	done

.PHONY: lint
lint: ## gofmt, vet and staticcheck
	@bad=$$(gofmt -l cmd tui lake ingest sql); if [ -n "$$bad" ]; then echo "gofmt would change:"; echo "$$bad"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

.PHONY: cover
cover: ## test coverage by package
	$(GO) test -cover ./...
