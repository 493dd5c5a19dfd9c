# One image for every command: docker run --rm driftflow --help
ARG PYTHON_IMAGE=python:3.12.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# Extras of pyproject.toml, joined by commas; empty for none: docker build --build-arg EXTRAS= .
ARG EXTRAS=librdkafka,service,alerts
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY detectors detectors
COPY state state
COPY alerts alerts
COPY service service
COPY flows flows
# Without pip inside: what runs needs none.
RUN python -m venv --without-pip /opt/driftflow \
    && pip --python /opt/driftflow/bin/python install --no-cache-dir ".${EXTRAS:+[${EXTRAS}]}"

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="driftflow" \
      org.opencontainers.image.description="Drift monitoring for models in production" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/driftflow /opt/driftflow
COPY deploy/image/healthcheck.py /opt/driftflow/healthcheck.py
# Folders that volumes are mounted on: a new volume takes over their owner.
RUN groupadd --gid 10001 driftflow \
    && useradd --create-home --uid 10001 --gid 10001 driftflow \
    && install --directory --owner=driftflow --group=driftflow /var/lib/driftflow /home/driftflow/data
USER 10001:10001
WORKDIR /home/driftflow
ENV PATH=/opt/driftflow/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Asks only where DRIFTFLOW_METRICS_PORT is set; time to start includes the wait for a broker.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "/opt/driftflow/healthcheck.py"]
ENTRYPOINT ["driftflow"]
CMD ["--help"]
