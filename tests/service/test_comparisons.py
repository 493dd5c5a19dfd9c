"""Files and rows compared on demand, and what is refused."""

import csv
import gzip
import io
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from flows.config import load_config
from flows.on_demand import file_ports
from flows.serving import watched_model
from flows.sources.base import SourceError
from service.app import create_app
from service.context import Service
from service.jobs import MOST_WAITING
from service.ports import Compared, OnProgress
from service.stores import StorePool
from service.uploads import UploadLimits
from state.stores.sqlite import SqliteStore
from tests.command_line import Call, caller
from tests.service.served import READ, WRITE, all_keys

URL = "/v1/comparisons"


def table(seed: int, shift: float, rows: int = 2_000) -> bytes:
    rng = np.random.default_rng(seed)
    lines = [
        f"{x},{c}" for x, c in zip(rng.normal(shift, 1, rows), rng.choice(["a", "b"], rows), strict=True)
    ]
    return "\n".join(["x,=c", *lines]).encode()


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


@pytest.fixture
def service(demo: Path) -> Service:
    config = load_config(demo)
    path, model = config.store, watched_model(config)
    assert isinstance(path, Path)
    return Service(
        models={model.name: model},
        stores=StorePool(lambda _model: SqliteStore(path)),
        ports=file_ports({model.name: config}),
        upload_limits=UploadLimits(file_bytes=1 << 20, unpacked_bytes=1 << 21),
    )


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        yield client


def send(
    client: TestClient, before: bytes, now: bytes, *, names: tuple[str, str] = ("before.csv", "now.csv")
) -> httpx2.Response:
    return client.post(URL, files={"baseline": (names[0], before), "current": (names[1], now)})


def finished(client: TestClient, started: dict[str, Any]) -> Any:  # noqa: ANN401  # whatever the answer holds
    found = started
    for _ in range(600):
        found = client.get(f"{URL}/{started['id']}").json()
        if found["state"] in {"done", "failed"}:
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_two_files_give_what_the_command_gives(client: TestClient, call: Call, tmp_path: Path) -> None:
    answer = send(client, table(1, 0.0), gzip.compress(table(2, 0.4)), names=("before.csv", "now.csv.gz"))
    assert answer.status_code == 202
    found = finished(client, answer.json())
    assert (found["state"], found["progress"], found["columns"]) == ("done", 1.0, 2)
    assert found["drifted"] == ["x"]

    for name, data in (("before.csv", table(1, 0.0)), ("now.csv", table(2, 0.4))):
        (tmp_path / name).write_bytes(data)
    told = call("compare", tmp_path / "before.csv", tmp_path / "now.csv", "--json").json()
    document = client.get(found["links"]["document"]).json()
    assert document["columns"] == told["columns"]

    page = client.get(found["links"]["page"])
    assert "Drift in 1 of 2 columns" in page.text
    assert page.headers["content-disposition"] == 'attachment; filename="comparison.html"'


def test_the_table_holds_no_formula(client: TestClient) -> None:
    found = finished(client, send(client, table(1, 0.0), table(2, 0.0)).json())
    rows = list(csv.DictReader(io.StringIO(client.get(found["links"]["table"]).text)))
    # OWASP's advice for a text that begins like a formula: an apostrophe before it.
    assert sorted(row["column"] for row in rows) == ["'=c", "x"]


def test_a_comparison_that_fails_says_why(client: TestClient) -> None:
    found = finished(client, send(client, b"a\n1\n", b"b\n1\n").json())
    assert found["state"] == "failed"
    assert "there is no column to compare" in found["error"]
    answer = client.get(f"{URL}/{found['id']}/document")
    assert (answer.status_code, answer.json()["detail"]) == (409, found["error"])


def test_nothing_is_left_of_what_was_sent(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    finished(client, send(client, table(1, 0.0), table(2, 0.0)).json())
    send(client, b"", b"x\n1\n")
    for _ in range(100):
        if not list(tmp_path.iterdir()):
            break
        time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("before", "name", "status", "told"),
    [
        (b"", "before.csv", 422, "baseline: the file is empty"),
        (b"x" * ((1 << 20) + 1), "before.csv", 413, "baseline: the file has more than 1,048,576 bytes"),
        (gzip.compress(b"0" * (1 << 22)), "before.csv.gz", 413, "unpacked the file has more than 2,097,152"),
        (
            gzip.compress(b"0" * (1 << 20)) * 3,
            "before.csv.gz",
            413,
            "unpacked the file has more than 2,097,152",
        ),
        (b"\x1f\x8b" + b"no gzip", "before.csv.gz", 422, "the gzip file is damaged"),
        (b"x\n1\n", "before.exe", 415, "does not tell the format"),
        (b"x\n1\n", "", 422, "baseline"),
    ],
    # Of their own: what gzip writes holds the time, and each process has to see the same tests.
    ids=["empty", "large", "packed", "packed in parts", "damaged", "of no format", "without a name"],
)
def test_what_is_refused_and_why(
    client: TestClient, before: bytes, name: str, status: int, told: str
) -> None:
    answer = send(client, before, b"x\n1\n", names=(name, "now.csv"))
    assert answer.status_code == status, answer.text
    assert told in answer.json()["detail"]


def test_a_path_in_a_name_leads_nowhere(client: TestClient, tmp_path: Path) -> None:
    target = tmp_path / "stolen.csv"
    answer = send(client, table(1, 0.0), table(2, 0.0), names=(f"../../../../../..{target}", "now.csv"))
    document = client.get(finished(client, answer.json())["links"]["document"]).json()
    assert document["baseline"]["files"] == ["stolen.csv"]
    assert not target.exists()


def test_a_body_without_a_length_is_counted(client: TestClient) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"0" * (1 << 20)

    assert client.post("/v1/models/demo/compare", content=endless()).status_code == 413
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post(URL, content=endless(), headers=headers).status_code in {400, 413}


def test_too_many_at_once_are_told_to_come_back(service: Service) -> None:
    wait = threading.Event()
    ports = service.needed_ports

    def slow(baseline: Path, current: Path, *, on_progress: OnProgress) -> Compared:
        wait.wait(30)
        raise SourceError(f"{baseline.name}, {current.name}, {on_progress}")

    held = replace(service, ports=replace(ports, compare_files=slow))
    with TestClient(create_app(held), raise_server_exceptions=False) as client:
        codes = [send(client, b"x\n1\n", b"x\n1\n").status_code for _ in range(MOST_WAITING + 3)]
        wait.set()
    assert codes[0] == 202
    assert codes[-1] == 429


def test_rows_against_the_active_reference(client: TestClient, demo: Path) -> None:
    lines = (demo.parent / "reference.jsonl").read_text().splitlines()[:2_000]
    rows = [json.loads(line) for line in lines]
    answer = client.post("/v1/models/demo/compare", json={"rows": rows})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["current"]["rows"] == 2_000
    # They are rows of the reference itself.
    assert not found["drifted"]
    for row in rows:
        row["features"]["amount"] = 1e6
    moved = client.post("/v1/models/demo/compare", json={"rows": rows}).json()
    assert {c["column"] for c in moved["columns"] if c["verdict"] == "drift"} == {"amount"}


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**63, 2**64, 2**200, -(2**200)])
def test_whole_numbers_of_any_size_are_rows_like_others(client: TestClient, demo: Path, number: int) -> None:
    lines = (demo.parent / "reference.jsonl").read_text().splitlines()[:100]
    rows = [json.loads(line) for line in lines]
    rows[7]["features"]["amount"] = number
    # A whole number as a category, and in a field that is not watched.
    rows[8]["features"]["plan"] = rows[9]["unknown"] = number
    answer = client.post("/v1/models/demo/compare", json={"rows": rows})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["current"]["rows"] + sum(found["current"]["refused"].values()) == 100
    (amount,) = (column for column in found["columns"] if column["column"] == "amount")
    assert amount["current"]["values"] == found["current"]["rows"]
    # Kept as a double: 52 of its bits.
    assert float(number) in {amount["current"]["maximum"], amount["current"]["minimum"]}


def test_readers_may_look_and_not_compare(service: Service) -> None:
    with TestClient(create_app(replace(service, keys=all_keys()))) as client:
        files = {"baseline": ("a.csv", table(1, 0.0)), "current": ("b.csv", table(2, 0.0))}
        refused = client.post(URL, files=files, headers={"X-API-Key": READ})
        assert (refused.status_code, "this needs write" in refused.json()["detail"]) == (403, True)
        started = client.post(URL, files=files, headers={"X-API-Key": WRITE})
        assert started.status_code == 202
        assert client.get(f"{URL}/{started.json()['id']}", headers={"X-API-Key": READ}).status_code == 200
        assert client.get(f"{URL}/none", headers={"X-API-Key": READ}).status_code == 404
