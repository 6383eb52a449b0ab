# Everything that a developer or a continuous-integration machine runs. Needs Go 1.26, gcc (cgo: DuckDB is linked in) and make.
GO        ?= go
BIN       := bin/signallake-tui
DATA      ?= data
FUZZTIME  ?= 10s
BENCHTIME ?= 1s
EVENTS    ?= 1000000
# false: a missed goal of the pipeline does not fail `make bench`, as on a machine whose load is not ours.
JUDGE     ?= true

# What the program says that it is: the tag, or the tag and the commits since; "unreleased" outside a clone.
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unreleased)
# Linked statically, the C++ of DuckDB too: it runs in an empty folder. netgo and osusergo keep Go's own lookups out of the C library. The
# three warnings of the linker are about DuckDB's own network and extension code, which the sandbox never lets run.
RELEASE   := -trimpath -buildvcs=false -tags netgo,osusergo -ldflags '-s -w -X main.version=$(VERSION) -linkmode external -extldflags -static'
PLATFORM  := $(shell $(GO) env GOOS)-$(shell $(GO) env GOARCH)
PACKAGE   := signallake-tui-$(VERSION)-$(PLATFORM)

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
test: lint ## every check: format, vet, floors, all tests, each micro-benchmark once, and the goroutines under the race detector
	$(GO) test ./...
	$(GO) test -run '^$$' -bench . -benchtime 1x -short ./...
	$(GO) test -race -short ./lake/... ./ingest/... ./tui/... ./sql/...

.PHONY: race
race: ## every test under the race detector
	$(GO) test -race ./...

.PHONY: bench
bench: build ## the benchmarks: each part alone, then the ladder (pruning against one file), then the pipeline; fails where that misses a goal
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...
	./$(BIN) bench --data $(DATA) --events $(EVENTS)
	./$(BIN) bench pipeline --data $(DATA) --events $(EVENTS) --judge=$(JUDGE)

.PHONY: pipeline
pipeline: build ## the pipeline alone, at EVENTS (1000000) events: each stage beside its reference, held to its goal
	./$(BIN) bench pipeline --data $(DATA) --events $(EVENTS) --judge=$(JUDGE)

.PHONY: ladder
ladder: build ## the ladder alone, at EVENTS (1000000) events
	./$(BIN) bench --data $(DATA) --events $(EVENTS)

.PHONY: bench-docs
bench-docs: build ## every suite at EVENTS (1000000) events, written to docs/BENCHMARKS.md; each suite and size keeps its section
	./$(BIN) bench --data $(DATA) --events $(EVENTS) --write docs/BENCHMARKS.md
	./$(BIN) bench pipeline --data $(DATA) --events $(EVENTS) --judge=false --write docs/BENCHMARKS.md
	./$(BIN) bench layout --data $(DATA) --events $(EVENTS) --write docs/BENCHMARKS.md

KILLS ?= 50

.PHONY: torture
torture: build ## kill a server KILLS (50) times under load and prove that it lost nothing and took nothing twice
	./$(BIN) torture --kills $(KILLS) --events 10000000

.PHONY: soak
soak: build ## ten minutes at half load and a minute at four times the load, watched from outside
	./$(BIN) soak

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (10s)
	@set -e; for pkg in $$($(GO) list ./...); do \
	  list=$$($(GO) test -list '^Fuzz' $$pkg); \
	  for target in $$(echo "$$list" | grep '^Fuzz'); do \
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

STATIC ?= bin/release/$(PACKAGE)/signallake-tui

.PHONY: static
static: ## the static, stripped program alone (STATIC=file)
	$(GO) build $(RELEASE) -o $(STATIC) ./cmd/signallake-tui

.PHONY: release
release: static ## the static program, packed with a checksum, in bin/
	cp LICENSE README.md docs/OPERATIONS.md bin/release/$(PACKAGE)/
	tar -C bin/release --sort=name --owner=0 --group=0 --numeric-owner --mtime='@$(shell git log -1 --format=%ct 2>/dev/null || echo 0)' -cf - $(PACKAGE) | gzip -9n > bin/$(PACKAGE).tar.gz
	cd bin && sha256sum $(PACKAGE).tar.gz > $(PACKAGE).tar.gz.sha256
	@ls -l bin/$(PACKAGE).tar.gz*

.PHONY: emptyroot
emptyroot: ## run the static program as nobody in an empty root folder (needs root)
	$(GO) test -count=1 -v -run '^TestReleaseInAnEmptyRoot$$' ./cmd/signallake-tui

.PHONY: image
image: ## the container image signallake:VERSION
	docker build --build-arg VERSION=$(VERSION) -t signallake:$(VERSION) -t signallake:local .
