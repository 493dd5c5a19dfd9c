"""Events as they come, and windows one by one."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient
from sse_starlette import ServerSentEvent

from service.api import stream
from state.stores.memory import MemoryStore
from state.stores.sqlite import SqliteStore
from tests.contracts.store_values import an_event
from tests.service.served import client_of


class _Request:
    """A client that leaves when it has asked so often whether it is there."""

    def __init__(self, looks: int) -> None:
        self._looks = looks

    async def is_disconnected(self) -> bool:
        self._looks -= 1
        return self._looks < 0


def streamed(
    client: TestClient,
    store: MemoryStore,
    last: str | None,
    *,
    added: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> list[str | None]:
    """Follow a store for three looks, between which events are added."""
    service = client.app.state.service  # type: ignore[attr-defined]  # Starlette's own
    model = service.models["demo"]

    async def pause(_stopping: anyio.Event) -> None:
        if added:
            store.add_events([added.pop(0)])

    monkeypatch.setattr(stream, "_pause", pause)

    async def follow() -> list[str | None]:
        stopping = anyio.Event()
        events = stream._events(service, model, "1", last, _Request(3), stopping)  # type: ignore[arg-type]
        return [event.id async for event in events]

    # In a thread: a browser that other tests share keeps a loop of its own running in this one.
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(anyio.run, follow).result()


def test_new_events_come_once_in_order(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    store.add_events([an_event("a", model="demo", end=1), an_event("b", model="demo", end=2)])
    with client_of(demo, lambda: store) as client:
        new = [an_event("c", model="demo", end=3), an_event("d", model="demo", end=4)]
        assert streamed(client, store, None, added=list(new), monkeypatch=monkeypatch) == ["c", "d"]
        # Where a browser connects again it goes on behind the last one that it saw.
        assert streamed(client, store, "a", added=[], monkeypatch=monkeypatch) == ["b", "c", "d"]
        assert streamed(client, store, "gone", added=[], monkeypatch=monkeypatch)[-1] == "d"


def test_the_stream_speaks_the_protocol(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def once(*_arguments: object) -> Any:  # noqa: ANN401  # an asynchronous generator
        yield ServerSentEvent('{"id": "a"}', id="a", event="io.driftflow.drift.opened")

    monkeypatch.setattr(stream, "_events", once)
    with client_of(demo, MemoryStore) as client:
        answer = client.get("/v1/models/demo/events/stream")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.splitlines()[:3] == [
        "id: a",
        "event: io.driftflow.drift.opened",
        'data: {"id": "a"}',
    ]


def test_windows_are_the_reports_of_the_log(demo: Path) -> None:
    log = (demo.parent / "out" / "events.jsonl").read_text().splitlines()
    reports = {
        event["id"]: event["data"]
        for event in map(json.loads, log)
        if event["type"] == "io.driftflow.window.report"
    }
    store = demo.parent / "out" / "driftflow.sqlite"
    with client_of(demo, lambda: SqliteStore(store)) as client:
        first = client.get("/v1/models/demo/windows", params={"limit": 5}).json()
        second = client.get(
            "/v1/models/demo/windows", params={"limit": 1_000, "cursor": first["next"]}
        ).json()
    found = [*first["windows"], *second["windows"]]
    assert second["next"] is None
    assert {each["event"] for each in found} == reports.keys()
    for each in found:
        data = reports[each["event"]]
        assert each["drift_share"] == data["drift_share"]
        assert each["rows"] == data["window"]["rows"]
        assert each["verdicts"] == {f["feature"]: f["verdict"] for f in data["features"]}
