"""Every query of a board over Prometheus returns data of a real run that a real Prometheus scrapes."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest
import yaml

from scripts.local_services.base import ServiceError
from scripts.local_services.places import free_ports
from scripts.local_services.prometheus import prometheus_program
from tests.integration.label_stream import write_labelled
from tests.integration.services import unavailable
from tests.integration.test_kafka_labels import config_of, put

ROOT = Path(__file__).parents[2]
LIMIT_S = 120.0
CHOSEN = {
    "$__rate_interval": "1m",
    "$__range": "1h",
    "$model": ".*",
    "$window": ".*",
    "$instance": ".*",
    "$metric": "effect",
}
WITHOUT = {"Latest value of each check"}
"""Panels about what this run does not do: it has no checks."""


def queries() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "deploy/grafana/dashboards").glob("*.json")):
        for panel in json.loads(path.read_bytes())["panels"]:
            for target in panel.get("targets", []):
                query = target["expr"]
                for name, value in CHOSEN.items():
                    query = query.replace(name, value)
                assert not re.search(r"\$", query)
                yield f"{path.stem}: {panel['title']}", query


@contextmanager
def started(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


def configured(folder: Path, targets: list[str]) -> Path:
    """Copy what is deployed, with targets of this test and scrapes twice a second."""
    there = folder / "prometheus"
    (there / "targets").mkdir(parents=True)
    source = ROOT / "deploy/prometheus"
    (there / "rules.yml").write_text((source / "rules.yml").read_text())
    (group,) = yaml.safe_load((source / "targets/workers.yml").read_text())
    (there / "targets/workers.yml").write_text(yaml.safe_dump([{**group, "targets": targets}]))
    path = there / "prometheus.yml"
    path.write_text((source / "prometheus.yml").read_text().replace("15s", "500ms"))
    return path


# What takes seconds, names and labels against the code, is in tests/test_observability.py.
@pytest.mark.slow
def test_every_panel_shows_a_real_run(
    tmp_path: Path, kafka_bootstrap: str, new_topic: Callable[[int], str], pytestconfig: pytest.Config
) -> None:
    try:
        program = prometheus_program("prometheus")
    except ServiceError as error:
        unavailable("Prometheus", str(error), pytestconfig)
    stream = write_labelled(tmp_path / "data", rows=2_500, files=2)
    events, labels = new_topic(2), new_topic(2)
    path = config_of(stream, "prometheus", kafka_bootstrap, events, labels)
    path.write_text(path.read_text().replace("until_end: true", "until_end: false"))
    first, port = free_ports(2)
    address = f"http://127.0.0.1:{port}"
    cli = [sys.executable, "-m", "flows.cli"]
    rows = str(stream.layout.folder / "reference.jsonl")
    subprocess.run([*cli, "reference", "build", str(path), rows], cwd=ROOT, check=True, capture_output=True)
    run = [*cli, "run", str(path), "--recovery", str(tmp_path / "recovery")]
    serve = [str(program), f"--config.file={configured(tmp_path, [f'127.0.0.1:{first}'])}"]
    serve += [f"--storage.tsdb.path={tmp_path / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}"]
    with ExitStack() as stack:
        stack.enter_context(started(serve, tmp_path))
        stack.enter_context(started([*run, "--metrics-port", str(first)], tmp_path))
        client = stack.enter_context(httpx2.Client(base_url=address))
        # Counters are scraped at 0 before the rows come.
        until(lambda: ask(client, "driftflow_events_total") != [])
        put(kafka_bootstrap, labels, stream.layout.folder / "labels")
        put(kafka_bootstrap, events, stream.layout.events)
        wanted = [(where, query) for where, query in queries() if where.split(": ")[1] not in WITHOUT]
        missing = {where for where, _ in wanted}

        def all_there() -> bool:
            missing.difference_update([w for w, query in wanted if w in missing and ask(client, query)])
            return not missing

        until(all_there, lambda: f"no data for {sorted(missing)}")
        assert ask(client, "sum(driftflow_events_total)") != ["0"]
        answer = client.get("/api/v1/rules").json()["data"]["groups"]
        assert {rule["health"] for group in answer for rule in group["rules"]} == {"ok"}


def ask(client: httpx2.Client, query: str) -> list[str]:
    """Return the values of a query now; none while Prometheus does not listen yet."""
    try:
        answer = client.get("/api/v1/query", params={"query": query}).json()
    except httpx2.TransportError:
        return []
    assert answer["status"] == "success", answer
    return [sample["value"][1] for sample in answer["data"]["result"]]


def until(done: Callable[[], bool], missing: Callable[[], str] = lambda: "nothing is scraped") -> None:
    limit_s = time.monotonic() + LIMIT_S
    while not done():
        assert time.monotonic() < limit_s, missing()
        time.sleep(0.5)
