# SignalLake as a server: one static program in an otherwise empty image.
#   docker build -t signallake .        (BuildKit, the default since Docker 23, sends only what is copied below)
#   docker run -p 127.0.0.1:8000:8000 -v lake:/data signallake
# The first start makes a token and shows it once in the log; it is kept in /data/tokens.

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd cmd
COPY ingest ingest
COPY lake lake
COPY sql sql
COPY tui tui
ARG VERSION=unreleased
# Linked statically (the C++ of DuckDB too), so that it needs no file of a system. netgo and osusergo keep Go's own lookups out of the C library.
RUN go build -trimpath -buildvcs=false -tags netgo,osusergo \
      -ldflags "-s -w -X main.version=${VERSION} -linkmode external -extldflags -static" \
      -o /image/signallake-tui ./cmd/signallake-tui \
 && mkdir -p /image/data /image/tmp

FROM scratch
# A number, since there is no list of users to find a name in. /tmp is where a `query` beside the server spills when it sorts more than its memory.
COPY --from=build --chown=65532:65532 /image/ /
USER 65532:65532
ENV SIGNALLAKE_DATA_DIR=/data/lake
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# Without an address it asks the process that owns the lake, over https where that one speaks it.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["/signallake-tui", "health"]
# Further flags of `docker run` go behind these and win over them.
ENTRYPOINT ["/signallake-tui", "serve", "--addr", "0.0.0.0:8000", "--token-file", "/data/tokens", "--make-token"]
