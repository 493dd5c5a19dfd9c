"""References over HTTP: listed, built of an uploaded file, activated, each by those who may."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from flows.config import load_config
from flows.on_demand import file_ports
from flows.serving import watched_model
from service.app import create_app
from service.context import Service
from service.stores import StorePool
from state.stores.sqlite import SqliteStore
from tests.service.served import ADMIN, READ, WRITE, all_keys

URL = "/v1/models/demo/references"


@pytest.fixture
def folder(demo: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo.parent, tmp_path / "demo"))


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    config = load_config(folder / "driftflow.yaml")
    path, model = config.store, watched_model(config)
    assert isinstance(path, Path)
    service = Service(
        models={model.name: model},
        stores=StorePool(lambda _model: SqliteStore(path)),
        ports=file_ports({model.name: config}),
        keys=all_keys(),
    )
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        client.headers["X-API-Key"] = ADMIN
        yield client


def built(client: TestClient, name: str, data: bytes) -> Any:  # noqa: ANN401  # whatever the answer holds
    started = client.post(URL, files={"file": (name, data)})
    assert started.status_code == 202, started.text
    found = started.json()
    for _ in range(600):
        found = client.get(f"{URL}/builds/{found['id']}").json()
        if found["state"] in {"done", "failed"}:
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def test_a_file_becomes_a_reference_and_then_the_active_one(client: TestClient, folder: Path) -> None:
    (first,) = client.get(URL).json()["references"]
    assert first["active"]

    half = b"".join((folder / "reference.jsonl").read_bytes().splitlines(keepends=True)[:3_000])
    found = built(client, "training.jsonl", half)
    assert (found["state"], found["error"]) == ("done", None)

    listed = client.get(URL).json()
    assert {each["version"]: (each["active"], each["rows"]) for each in listed["references"]} == {
        first["version"]: (True, first["rows"]),
        found["version"]: (False, 3_000),
    }
    assert client.put(f"{URL}/{found['version']}/activation").json() == {
        "version": found["version"],
        "start": None,
    }
    assert [each["version"] for each in client.get(URL).json()["schedule"]] == [found["version"]]


def test_a_moment_from_which_a_reference_counts(client: TestClient) -> None:
    (first,) = client.get(URL).json()["references"]
    asked = {"start": "2027-01-01T00:00:00"}
    answer = client.put(f"{URL}/{first['version']}/activation", params=asked)
    assert datetime.fromisoformat(answer.json()["start"]) == datetime(2027, 1, 1, tzinfo=UTC)
    refused = client.put(f"{URL}/{first['version']}/activation", params={"start": "soon"})
    assert refused.status_code == 422


def test_a_file_that_lacks_a_column_is_told(client: TestClient) -> None:
    found = built(client, "other.csv", b"a,b\n1,2\n3,4\n")
    assert found["state"] == "failed"
    assert found["error"]


def test_a_reference_that_is_not_there(client: TestClient) -> None:
    answer = client.put(f"{URL}/nothing/activation")
    assert (answer.status_code, "nothing" in answer.json()["detail"]) == (422, True)


def test_only_those_who_may(client: TestClient) -> None:
    for key, status in ((READ, 403), (WRITE, 403)):
        headers = {"X-API-Key": key}
        assert client.post(URL, files={"file": ("a.csv", b"a\n1\n")}, headers=headers).status_code == status
        assert client.put(f"{URL}/x/activation", headers=headers).status_code == status
        assert client.get(URL, headers=headers).status_code == 200
