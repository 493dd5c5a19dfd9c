"""Who has seen an episode, said over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from state.stores.alerts import Acknowledgement
from state.stores.memory import MemoryStore
from tests.contracts.store_values import an_episode
from tests.service.served import ADMIN, READ, WRITE, all_keys, client_of

URL = "/v1/models/demo/episodes"
AT_S = 1_767_225_600.0
"""2026-01-01T00:00:00Z, by `date -u -d @1767225600`."""


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.put_episodes([an_episode("one", model="demo"), an_episode("two", model="demo", opened=20)])
    store.put_episodes([an_episode("elsewhere", model="other")])
    return store


@pytest.fixture
def client(demo: Path, store: MemoryStore) -> Iterator[TestClient]:
    with client_of(demo, lambda: store, all_keys(), clock=lambda: AT_S) as client:
        client.headers["X-API-Key"] = WRITE
        yield client


def test_the_first_who_says_so_stays_and_is_told(client: TestClient, store: MemoryStore) -> None:
    assert [each["acknowledged"] for each in client.get(URL).json()] == [None, None]
    answer = client.post(f"{URL}/one/acknowledge", json={"note": "a campaign"})
    assert answer.status_code == 200, answer.text
    told = {"by": "pipeline", "at": "2026-01-01T00:00:00.000Z", "note": "a campaign"}
    assert (answer.json()["id"], answer.json()["acknowledged"]) == ("one", told)

    again = client.post(f"{URL}/one/acknowledge", json={"note": "mine"}, headers={"X-API-Key": ADMIN})
    assert again.json() == answer.json()
    listed = {each["id"]: each["acknowledged"] for each in client.get(URL).json()}
    assert listed == {"one": told, "two": None}
    assert store.acknowledgements("demo") == [
        Acknowledgement(
            model="demo", episode="one", by="pipeline", at_ms=1_767_225_600_000, note="a campaign"
        )
    ]


def test_a_note_is_not_needed_and_has_a_longest(client: TestClient) -> None:
    assert client.post(f"{URL}/two/acknowledge").json()["acknowledged"]["note"] == ""
    assert client.post(f"{URL}/one/acknowledge", json={"note": "x" * 501}).status_code == 422
    lone = client.post(
        f"{URL}/one/acknowledge", content=rb'{"note": "\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert lone.status_code == 422


def test_who_may_not_and_what_is_not_there(client: TestClient, store: MemoryStore) -> None:
    refused = client.post(f"{URL}/one/acknowledge", headers={"X-API-Key": READ})
    assert (refused.status_code, "this needs write" in refused.json()["detail"]) == (403, True)
    for path in (f"{URL}/elsewhere/acknowledge", f"{URL}/none/acknowledge"):
        assert client.post(path).status_code == 404
    assert client.post(f"{URL}/one/acknowledge", params={"version": "9"}).status_code == 404
    assert store.acknowledgements("demo") == []
