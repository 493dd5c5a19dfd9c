"""Routes over a finished demo, whatever store it is in."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from flows.config import load_config
from state.stores.base import Store
from state.stores.memory import MemoryStore
from state.stores.redis import RedisStore
from state.stores.sqlite import SqliteStore
from tests.contracts.redis_servers import own_prefix
from tests.service.copies import copy
from tests.service.served import client_of

MODEL = "/v1/models/demo"


@pytest.fixture(scope="module", params=["sqlite", "memory", "redis"])
def client(request: pytest.FixtureRequest, demo: Path) -> Iterator[TestClient]:
    config = load_config(demo)
    path = config.store
    assert isinstance(path, Path)
    if request.param == "sqlite":
        with client_of(demo, lambda: SqliteStore(path)) as client:
            yield client
        return
    if request.param == "memory":
        memory = MemoryStore()
        yield from _filled(demo, memory, lambda: memory)
        return
    url = request.getfixturevalue("redis_url")
    with own_prefix(url) as prefix:
        filled = RedisStore(url, prefix=prefix)
        yield from _filled(demo, filled, lambda: RedisStore(url, prefix=prefix))
        filled.close()


def _filled(demo: Path, target: Store, opened: Callable[[], Store]) -> Iterator[TestClient]:
    config = load_config(demo)
    assert isinstance(config.store, Path)
    source = SqliteStore(config.store)
    copy(source, target, "demo", config.file.model.version, tuple(c.name for c in config.columns))
    source.close()
    with client_of(demo, opened) as client:
        yield client


@pytest.fixture(scope="module")
def written(demo: Path) -> list[dict[str, Any]]:
    """The events of the demo as the run wrote them into its log."""
    return [json.loads(line) for line in (demo.parent / "out" / "events.jsonl").read_text().splitlines()]


def test_a_model_at_a_glance(client: TestClient, written: list[dict[str, Any]]) -> None:
    (found,) = client.get("/v1/models").json()
    reports = [event for event in written if event["type"] == "io.driftflow.window.report"]
    opened = [e for e in written if e["type"] == "io.driftflow.drift.opened"]
    closed = {e["data"]["episode"]["id"] for e in written if e["type"] == "io.driftflow.drift.closed"}
    assert found["name"] == "demo"
    assert found["last_window"] == max(report["time"] for report in reports)
    assert found["open_episodes"] >= sum(e["data"]["episode"]["id"] not in closed for e in opened) > 0
    assert found["reference"] == reports[0]["data"]["reference"]["version"]
    going = client.get(f"{MODEL}/episodes", params={"open": True}).json()
    assert found["open_episodes"] == len(going)
    assert set(found["drifting"]) == {each["feature"] for each in going if each["family"] == "drift"}
    assert found["violations"] == sum(each["family"] != "drift" for each in going)
    assert found["summary"].startswith(f"Drift in {len(found['drifting'])} columns, {found['severity']}")


def test_another_version_of_a_model_stands_by_itself(client: TestClient) -> None:
    found = client.get(MODEL, params={"version": "9"}).json()
    assert (found["version"], found["reference"], found["open_episodes"]) == ("9", None, 0)
    assert found["summary"] == "No reference is active: nothing is compared."


def test_a_model_with_its_columns_and_windows(client: TestClient, demo: Path) -> None:
    found = client.get(MODEL).json()
    config = load_config(demo)
    assert [column["name"] for column in found["features"]] == [column.name for column in config.columns]
    assert {window["name"]: window["size"] for window in found["windows"]}.keys() == {
        window.name for window in config.grid.windows
    }
    assert found["axis"] == "ms"


def test_pages_of_events_join_to_the_log(client: TestClient, written: list[dict[str, Any]]) -> None:
    found = list[dict[str, Any]]()
    cursor: str | None = None
    while True:
        asked: dict[str, str | int] = {"order": "oldest", "limit": 37}
        if cursor is not None:
            asked["cursor"] = cursor
        page = client.get(f"{MODEL}/events", params=asked).json()
        found += page["events"]
        cursor = page["next"]
        if cursor is None:
            break
    # The store orders by the end of windows, the log by when each was told.
    assert sorted(map(json.dumps, found)) == sorted(map(json.dumps, written))
    assert [event["time"] for event in found] == sorted(event["time"] for event in written)


def test_events_by_type_column_and_time(client: TestClient, written: list[dict[str, Any]]) -> None:
    opened = [event for event in written if event["type"] == "io.driftflow.drift.opened"]
    asked = {"type": "drift.opened", "order": "oldest"}
    assert client.get(f"{MODEL}/events", params=asked).json()["events"] == opened
    first = opened[0]
    column, window = first["data"]["result"]["feature"], first["data"]["window"]["name"]
    found = client.get(f"{MODEL}/events", params=asked | {"feature": column, "window": window}).json()
    assert found["events"] == [
        e for e in opened if (e["data"]["result"]["feature"], e["data"]["window"]["name"]) == (column, window)
    ]
    before = client.get(f"{MODEL}/events", params={"end": first["time"], "type": "drift.opened"}).json()
    assert before == {"events": [], "next": None}


def test_one_event_as_it_was_written(client: TestClient, written: list[dict[str, Any]]) -> None:
    answer = client.get(f"{MODEL}/events/{written[0]['id']}")
    assert answer.json() == written[0]
    assert answer.headers["content-type"] == "application/cloudevents+json"


def test_episodes_are_those_of_the_log(client: TestClient, written: list[dict[str, Any]]) -> None:
    opened = {
        event["data"]["episode"]["id"]: event for event in written if event["type"].endswith("drift.opened")
    }
    found = [e for e in client.get(f"{MODEL}/episodes").json() if e["family"] == "drift"]
    assert {episode["id"] for episode in found} == opened.keys()
    assert [e["opened"] for e in found] == sorted((e["opened"] for e in found), reverse=True)
    for episode in found:
        assert episode["opened"] == opened[episode["id"]]["data"]["episode"]["opened"]
    going = client.get(f"{MODEL}/episodes", params={"open": True}).json()
    assert all(episode["open"] for episode in going)


def test_series_hold_what_reports_say(client: TestClient, written: list[dict[str, Any]]) -> None:
    reports = [event for event in written if event["type"].endswith("window.report")]
    window = reports[0]["data"]["window"]["name"]
    told = [
        [report["time"], report["data"]["drift_share"]]
        for report in reports
        if report["data"]["window"]["name"] == window and report["data"]["status"] == "complete"
    ]
    asked = {"window": window, "metric": "drift_share"}
    found = client.get(f"{MODEL}/series/points", params=asked).json()
    assert found["points"] == told
    assert found["total"] == len(told)
    thin = client.get(f"{MODEL}/series/points", params=asked | {"points": 4}).json()
    assert len(thin["points"]) <= 4
    assert thin["total"] == len(told)
    assert max(v for _, v in thin["points"]) == max(v for _, v in told)
    listed = client.get(f"{MODEL}/series", params={"feature": ""}).json()
    assert {"window": window, "feature": "", "segment": "", "metric": "drift_share"} in listed


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/v1/models/none", 404, "There is no model 'none'; there are: demo."),
        (f"{MODEL}/events/none", 404, "no event 'none'"),
        (f"{MODEL}/events?type=drift.gone", 422, "wanted one of drift.opened"),
        (f"{MODEL}/events?start=soon", 422, "wanted a time such as"),
        (f"{MODEL}/events?limit=0", 422, "limit"),
        (f"{MODEL}/events?cursor=none", 422, "begin again without it"),
        (f"{MODEL}/series/points?window=none&metric=psi", 404, "lists those there are"),
        ("/v2", 404, "/docs lists what there is"),
    ],
)
def test_errors_say_what_to_do(client: TestClient, path: str, status: int, told: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert told in answer.json()["detail"]


def test_answers_carry_the_headers_of_browsers(client: TestClient) -> None:
    for path in ("/v1/models", "/healthz", "/v1/models/none"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in headers


def test_a_store_that_answers_is_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"demo": "ok"}
