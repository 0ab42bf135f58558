# asyncfix with git, which `--since` and `suggest` ask; docs/docker.md shows it in use.
#
#   docker build --tag asyncfix .
#   docker run --rm --volume "$PWD:/io" asyncfix --diff

FROM rust:1.95-slim-bookworm AS build
WORKDIR /asyncfix
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/asyncfix/target \
    cargo build --release --locked && \
    cp target/release/asyncfix /asyncfix.bin

# What the program was linked with, so that it runs.
FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install --yes --no-install-recommends ca-certificates git && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --create-home --uid 1000 asyncfix && \
    # The folder belongs to whoever mounted it.
    git config --system safe.directory /io
COPY --from=build /asyncfix.bin /usr/local/bin/asyncfix
COPY LICENSE /usr/local/share/doc/asyncfix/LICENSE
USER 1000:1000
WORKDIR /io
ENTRYPOINT ["asyncfix"]
