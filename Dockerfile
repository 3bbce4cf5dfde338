# leadstate as a container: docker build -t leadstate . && docker run --rm -e PIPEDRIVE_TOKEN -v "$PWD:/work" leadstate plan
# The first stage builds the wheel and installs it; the second has the result, and neither pip's cache nor the sources.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY leadstate leadstate
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
 && python -m venv /opt/leadstate \
 && /opt/leadstate/bin/pip install --no-cache-dir --constraint constraints.txt /wheels/*.whl

FROM python:3.13-slim
LABEL org.opencontainers.image.title="leadstate" \
      org.opencontainers.image.description="Lead labels and seeded leads of Pipedrive accounts, declared in YAML and reconciled like infrastructure." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/leadstate /opt/leadstate
ENV PATH=/opt/leadstate/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /work
ENTRYPOINT ["leadstate"]
CMD ["--help"]
