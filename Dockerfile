# All images, with one target for each: `docker compose build` makes those that compose.yaml needs.

# The SBOM is made from Cargo.lock in the build context, because the image of a single program does not show its crates.
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true

FROM rust:1.95-slim-trixie AS build
WORKDIR /src
# A static program carries its libraries, so its image needs no system around it.
ENV RUSTFLAGS="-C target-feature=+crt-static"
# `release` makes small and fast programs. compose/dev.yaml sets `watch`, which builds faster.
ARG PROFILE=release
COPY . .
# The caches outlive the build, so that dependencies are not compiled again.
# The target is named, because otherwise RUSTFLAGS would also apply to the compiler's plugins,
# which cannot be static.
# `touch` makes cargo always compile our own code: it compares the files' times, and an older copy
# of a file could seem unchanged.
# `vote` is built apart: built with the others, it would contain the driver of their PostgreSQL.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    target="$(uname -m)-unknown-linux-gnu" \
    && find . -path ./target -prune -o -type f -exec touch {} + \
    && mkdir /programs \
    && cargo build --profile "$PROFILE" --locked --target "$target" --package vote \
    && cargo build --profile "$PROFILE" --locked --target "$target" --package worker --package result \
    && cp "target/$target/$PROFILE/vote" "target/$target/$PROFILE/worker" "target/$target/$PROFILE/result" /programs/

# load-test is built in a separate stage, so that nobody waits for it who does not need it.
FROM build AS build-load-test
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    target="$(uname -m)-unknown-linux-gnu" \
    && find . -path ./target -prune -o -type f -exec touch {} + \
    && cargo build --profile "$PROFILE" --locked --target "$target" --package load-test \
    && cp "target/$target/$PROFILE/load-test" /programs/

# The embedded program, which is the three services in one process. Its image needs a folder that belongs to its user.
FROM build AS build-urna
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    target="$(uname -m)-unknown-linux-gnu" \
    && find . -path ./target -prune -o -type f -exec touch {} + \
    && cargo build --profile "$PROFILE" --locked --target "$target" --package urna \
    && cp "target/$target/$PROFILE/urna" /programs/ \
    && mkdir /data

# An image is one program. It has no shell and no library, so only the program needs updates.
FROM scratch AS service
# An arbitrary user that is not root. It is a number, because the image has no file of user names.
USER 10001:10001
LABEL org.opencontainers.image.title="Urna" \
      org.opencontainers.image.description="The reference voting microservice application in Rust" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"

# Each service asks itself for its health: whether it could reach its stores once. So no update replaces good replicas by
# ones that never can, and an outage of a store makes no replica unhealthy. The first start of PostgreSQL takes less than
# the 30 s. In that time Docker asks often, so that dependent services wait no longer than needed.
FROM service AS vote
COPY --from=build /programs/vote /vote
EXPOSE 80
HEALTHCHECK --interval=5s --timeout=3s --retries=3 --start-period=30s --start-interval=0.25s \
    CMD ["/vote", "healthcheck", "--serving"]
ENTRYPOINT ["/vote"]

FROM service AS worker
COPY --from=build /programs/worker /worker
HEALTHCHECK --interval=5s --timeout=3s --retries=3 --start-period=30s --start-interval=0.25s \
    CMD ["/worker", "healthcheck", "--serving"]
ENTRYPOINT ["/worker"]

FROM service AS result
COPY --from=build /programs/result /result
EXPOSE 80
HEALTHCHECK --interval=5s --timeout=3s --retries=3 --start-period=30s --start-interval=0.25s \
    CMD ["/result", "healthcheck", "--serving"]
ENTRYPOINT ["/result"]

# Its data file is in a volume. SQLite puts its temporary files into the working directory, because there is no /tmp.
FROM service AS urna
COPY --from=build-urna /programs/urna /urna
COPY --from=build-urna --chown=10001:10001 /data /data
WORKDIR /data
VOLUME /data
ENV DATA=/data VOTE_LISTEN=0.0.0.0:8000 RESULT_LISTEN=0.0.0.0:8001
EXPOSE 8000 8001
HEALTHCHECK --interval=5s --timeout=3s --retries=3 --start-period=30s --start-interval=0.25s \
    CMD ["/urna", "status"]
ENTRYPOINT ["/urna"]

FROM service AS load-test
COPY --from=build-load-test /programs/load-test /load-test
ENTRYPOINT ["/load-test"]
