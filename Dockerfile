# leadstate as a container: docker build -t leadstate . && docker run --rm -e PIPEDRIVE_TOKEN -v "$PWD:/work" leadstate plan
# The first stage installs what requirements.txt pins, with hashes, and leadstate itself; the second has the result.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml requirements.txt README.md LICENSE ./
COPY leadstate leadstate
RUN python -m venv /opt/leadstate \
 && /opt/leadstate/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --requirement requirements.txt \
 && /opt/leadstate/bin/pip install --no-cache-dir --no-deps --no-index --no-build-isolation .

FROM python:3.13-slim
LABEL org.opencontainers.image.title="leadstate" \
      org.opencontainers.image.description="Lead labels and seeded leads of Pipedrive accounts, declared in YAML and reconciled like infrastructure." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/leadstate /opt/leadstate
# The user has no home: locks of applies and the cache are in /tmp, which a read-only container needs a volume for.
ENV PATH=/opt/leadstate/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    XDG_STATE_HOME=/tmp/state XDG_CACHE_HOME=/tmp/cache
USER 10001:10001
WORKDIR /work
ENTRYPOINT ["leadstate"]
CMD ["--help"]
