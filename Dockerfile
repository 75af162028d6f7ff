# Every image in one file, a target for each: `docker compose build` makes all of them.

# An image of one program says nothing of the crates in it; Cargo.lock does, in what is sent here.
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true

FROM rust:1.95-slim-trixie AS build
WORKDIR /src
# A program that carries its libraries needs no system around it.
ENV RUSTFLAGS="-C target-feature=+crt-static"
# Small and fast programs; compose/dev.yaml asks for those that are built quickly.
ARG PROFILE=release
COPY . .
# The caches outlive the build, so only what changed is compiled again. The target is named, as
# else the flags would also hold for the compiler's own plugins, which cannot be static. Our own
# code is always compiled: cargo goes by the files' times, and those of an older copy are older.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    target="$(uname -m)-unknown-linux-gnu" \
    && find . -path ./target -prune -o -type f -exec touch {} + \
    && cargo build --profile "$PROFILE" --locked --target "$target" \
        --package vote --package worker --package result \
    && mkdir /programs \
    && cp "target/$target/$PROFILE/vote" "target/$target/$PROFILE/worker" "target/$target/$PROFILE/result" /programs/

# Apart, because only who asks for it waits for it.
FROM build AS build-load-test
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    target="$(uname -m)-unknown-linux-gnu" \
    && find . -path ./target -prune -o -type f -exec touch {} + \
    && cargo build --profile "$PROFILE" --locked --target "$target" --package load-test \
    && cp "target/$target/$PROFILE/load-test" /programs/

# An image is one program: no shell, no library, nothing to update but itself.
FROM scratch AS service
# A number, because there is no file with names either; and nobody in particular.
USER 10001:10001
LABEL org.opencontainers.image.title="Urna" \
      org.opencontainers.image.description="The reference voting microservice application in Rust" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"

# Each asks itself for its health, often at the start: whoever waits for it waits no longer than needed.
FROM service AS vote
COPY --from=build /programs/vote /vote
EXPOSE 80
HEALTHCHECK --interval=5s --timeout=3s --retries=3 --start-period=20s --start-interval=0.25s \
    CMD ["/vote", "healthcheck"]
ENTRYPOINT ["/vote"]

FROM service AS worker
COPY --from=build /programs/worker /worker
HEALTHCHECK --interval=5s --timeout=3s --retries=3 --start-period=20s --start-interval=0.25s \
    CMD ["/worker", "healthcheck"]
ENTRYPOINT ["/worker"]

FROM service AS result
COPY --from=build /programs/result /result
EXPOSE 80
HEALTHCHECK --interval=5s --timeout=3s --retries=3 --start-period=20s --start-interval=0.25s \
    CMD ["/result", "healthcheck"]
ENTRYPOINT ["/result"]

FROM service AS load-test
COPY --from=build-load-test /programs/load-test /load-test
ENTRYPOINT ["/load-test"]
