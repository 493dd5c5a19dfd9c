# One image for every command: docker run driftflow --help
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY detectors detectors
COPY state state
COPY flows flows
RUN python -m venv /opt/driftflow && /opt/driftflow/bin/pip install --no-cache-dir .

FROM python:3.12-slim
COPY --from=build /opt/driftflow /opt/driftflow
RUN useradd --create-home --uid 10001 driftflow
USER driftflow
WORKDIR /home/driftflow
ENV PATH=/opt/driftflow/bin:$PATH PYTHONUNBUFFERED=1
ENTRYPOINT ["driftflow"]
CMD ["--help"]
