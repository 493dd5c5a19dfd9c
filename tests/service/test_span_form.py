"""The form that compares two spans of a model's past, without a browser."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.middleware.sessions import SessionMiddleware

from flows.config import load_config
from flows.on_demand import file_ports
from flows.serving import watched_model
from service.context import Service
from service.dashboard import login, span_parts
from service.jobs import JobState
from service.stores import StorePool
from state.stores.sqlite import SqliteStore
from tests.service.served import READ, WRITE, all_keys

PICKED = {
    "model": "demo",
    "reference_from": "2026-01-05T00:00",
    "reference_to": "2026-01-07T00:00",
    "current_from": "2026-01-10T00:00",
    "current_to": "2026-01-11T12:00",
}
"""On the borders of panes of 90 minutes, as browsers write what is picked."""


@pytest.fixture(scope="module")
def service(demo: Path) -> Service:
    config = load_config(demo)
    path = config.store
    assert isinstance(path, Path)
    return Service(
        models={"demo": watched_model(config)},
        stores=StorePool(lambda _model: SqliteStore(path)),
        keys=all_keys(),
        ports=file_ports({"demo": config}),
    )


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(login.router)
    app.include_router(span_parts.router)
    app.state.service = service
    app.add_middleware(SessionMiddleware, secret_key=READ)
    with TestClient(app, follow_redirects=False) as client:
        yield client


def test_what_is_picked_is_compared(service: Service, client: TestClient) -> None:
    client.post("/login", data={"key": WRITE})
    sent = client.post("/compare/spans", data=PICKED)
    assert sent.status_code == 303
    job_id = sent.headers["location"].removeprefix("/compare/")
    job = None
    for _ in range(600):
        job = service.comparisons.find(job_id)
        if job is not None and job.state in {JobState.DONE, JobState.FAILED}:
            break
        time.sleep(0.02)
    assert job is not None
    assert job.error is None
    assert job.result is not None
    # All that the demo's configuration watches.
    assert {row["column"] for row in job.result.rows()} == {c.name for c in service.models["demo"].columns}


@pytest.mark.parametrize(
    ("key", "changed", "place"),
    [
        (None, {}, "/login?then=/compare"),
        (READ, {}, "/compare"),
        (WRITE, {"model": "other"}, "/compare"),
        (WRITE, {"reference_to": "2026-01-11T00:00"}, "/compare"),
        (WRITE, {"current_to": "2026-01-10T00:00"}, "/compare"),
        (WRITE, {"current_to": "tomorrow"}, "/compare"),
    ],
)
def test_what_cannot_be_compared_leads_back(
    client: TestClient, key: str | None, changed: dict[str, str], place: str
) -> None:
    if key is not None:
        client.post("/login", data={"key": key})
    sent = client.post("/compare/spans", data={**PICKED, **changed})
    assert (sent.status_code, sent.headers["location"]) == (303, place)


def test_the_form_has_what_the_route_takes(service: Service) -> None:
    text = span_parts.form_text(service)
    assert set(re.findall(r'name="(\w+)"', text)) == set(PICKED)
    assert text.count('type="datetime-local"') == 4
