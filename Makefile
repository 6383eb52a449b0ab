# Everything that a developer or a continuous-integration machine runs. Needs Go 1.26, gcc (cgo: DuckDB is linked in) and make.
GO       ?= go
BIN      := bin/signallake-tui
DATA     ?= data
FUZZTIME ?= 10s

# An exact version: the newest that knows this Go.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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
bench: ## the benchmarks, with their reference beside them
	$(GO) test -run '^$$' -bench . -benchmem ./lake/... ./ingest/... ./sql/... ./tui/...

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

.PHONY: shots
shots: build ## the documentation's pictures, from the console over a seeded lake (SHOT=dashboard for one of them)
	$(GO) build -trimpath -o bin/shots ./cmd/shots
	docs/pictures/take.sh $(SHOT)

.PHONY: cover
cover: ## test coverage by package
	$(GO) test -cover ./...
