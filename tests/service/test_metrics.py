"""What the service tells Prometheus of its requests, jobs and stores."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from service.jobs import Jobs
from service.metrics import ServiceMetrics
from service.ports import OnProgress, Rate
from service.stores import StorePool
from service.watching import Asked
from state.stores.base import Store, StoreBusyError, StoreError
from state.stores.memory import MemoryStore
from tests.service.served import READ, WRITE, all_keys, client_of


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Return values by the name and the labels of each sample, labels by their names."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(client: TestClient) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics", headers={"X-API-Key": READ})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return samples(answer.text)


@pytest.fixture
def client(demo: Path) -> Iterator[TestClient]:
    with client_of(demo, MemoryStore, all_keys()) as client:
        yield client


def test_requests_are_counted_by_route_method_and_status(client: TestClient) -> None:
    for model in ("demo", "demo", "other"):
        client.get(f"/v1/models/{model}/events/x", headers={"X-API-Key": WRITE})
    client.get("/v1/models")
    client.get("/nowhere/at/all")
    client.request("INVENTED", "/healthz")
    found = scraped(client)
    count = "driftflow_service_requests_total"
    route = "/v1/models/{model}/events/{event_id}"
    # Labels in their alphabetical order: method, route, status.
    assert found[count, "GET", route, "404"] == 3
    assert found[count, "GET", "/v1/models", "401"] == 1
    assert found[count, "GET", "none", "404"] == 1
    assert found[count, "other", "/healthz", "405"] == 1
    assert found["driftflow_service_request_seconds_count", "GET", route] == 3
    assert found[("driftflow_service_pages",)] == 0
    assert found[("process_open_fds",)] > 0


def test_metrics_need_a_key_because_they_name_the_models(client: TestClient) -> None:
    assert client.get("/metrics").status_code == 401


def test_latency_is_that_of_the_clock() -> None:
    metrics = ServiceMetrics(StorePool(lambda _model: None), [], {})
    scope = {"method": "GET", "path": "/v1/models"}
    for seconds in (0.02, 0.3):
        metrics.answered(Asked(scope=scope, route="/v1/models", status=200, seconds=seconds))
    found = samples(metrics.exposed().decode())
    bucket = "driftflow_service_request_seconds_bucket"
    # Labels le, method, route: one of two within 25 ms, both within half a second.
    assert found[bucket, "0.025", "GET", "/v1/models"] == 1
    assert found[bucket, "0.5", "GET", "/v1/models"] == 2
    assert found["driftflow_service_request_seconds_sum", "GET", "/v1/models"] == pytest.approx(0.32)


def test_who_asks_too_often_is_counted(demo: Path) -> None:
    rates = {"requests": Rate(amount=3, seconds=3_600)}
    with client_of(demo, MemoryStore, all_keys(), rates=rates) as client:
        for _ in range(5):
            client.get("/v1/models", headers={"X-API-Key": WRITE})
        assert scraped(client)["driftflow_service_rate_limited_total", "requests"] == 2


def test_stores_say_when_they_last_answered_and_how_often_they_did_not() -> None:
    now, away = [100.0], [False]

    def opened(_model: str) -> Store:
        if away[0]:
            raise StoreBusyError("store redis://localhost:1/0: it cannot be reached")
        return MemoryStore()

    stores = StorePool(opened, lambda: now[0])
    metrics = ServiceMetrics(stores, ["demo"], {}, lambda: now[0])

    def look() -> tuple[float, float]:
        found = samples(metrics.exposed().decode())
        age, errors = "driftflow_service_store_look_age_seconds", "driftflow_service_store_errors_total"
        return found[age, "demo"], found[errors, "demo"]

    now[0] = 107
    assert look() == (7, 0)
    with stores.lend("demo"):
        pass
    now[0] = 110
    assert look() == (3, 0)
    away[0] = True
    stores.close()
    with pytest.raises(StoreError), stores.lend("demo"):
        pass
    assert look() == (3, 1)


def test_jobs_that_run_and_that_wait() -> None:
    jobs, go, begun = Jobs[int](), threading.Event(), threading.Event()

    def work(_tell: OnProgress) -> int:
        begun.set()
        go.wait(30)
        return 1

    metrics = ServiceMetrics(StorePool(lambda _model: None), [], {"build": jobs})
    for _ in range(3):
        jobs.start(work, lambda: None)
    assert begun.wait(30)
    found = samples(metrics.exposed().decode())
    go.set()
    jobs.close()
    assert found["driftflow_service_jobs", "build", "running"] == 1
    assert found["driftflow_service_jobs", "build", "waiting"] == 2
