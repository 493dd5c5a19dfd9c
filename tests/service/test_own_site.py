"""Pages of other sites change and start nothing here; the service's own pages and programs do."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.datastructures import Headers
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from service.audit import AuditLog
from service.own_site import OwnSite, comes_from_here
from state.stores.memory import MemoryStore
from tests.service.served import ADMIN, all_keys, client_of

EVIL = {"Origin": "https://evil.example"}
PATHS = (
    "/v1/comparisons",
    "/v1/models/demo/references",
    "/v1/models/demo/compare",
    "/v1/models/demo/compare/spans",
    "/v1/models/demo/episodes/x/acknowledge",
    "/compare/files",
    "/compare/spans",
    "/models/demo/references",
    "/login",
    "/logout",
)


@pytest.fixture(scope="module")
def client(demo: Path) -> Iterator[TestClient]:
    with client_of(demo, MemoryStore) as served:
        yield served


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({}, True),
        ({"Origin": "http://here:8080"}, True),
        ({"Origin": "HTTP://HERE:8080"}, True),
        # Behind a proxy that ends TLS and calls the service by another name.
        ({"Origin": "https://drift.example", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "http://here:3000"}, False),
        ({"Origin": "http://here"}, False),
        ({"Origin": "http://here:8080.evil.example"}, False),
        # A page in a frame without rights, or a file that is opened.
        ({"Origin": "null"}, False),
        ({"Origin": "http://[here:8080"}, False),
        ({"Origin": ""}, False),
        # Another port of this machine is the same site to a browser, and another program all the same.
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "http://here:8080", "Sec-Fetch-Site": "cross-site"}, False),
    ],
)
def test_what_is_said_of_its_page_decides(headers: dict[str, str], *, own: bool) -> None:
    assert comes_from_here(Headers({"Host": "here:8080", **headers})) is own


def test_an_origin_is_nobodys_where_no_host_is_named() -> None:
    assert not comes_from_here(Headers({"Origin": "null"}))
    assert not comes_from_here(Headers({"Origin": ""}))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", [EVIL, {"Sec-Fetch-Site": "cross-site"}], ids=["origin", "site"])
def test_forms_of_other_sites_are_refused(client: TestClient, path: str, headers: dict[str, str]) -> None:
    answer = client.post(path, headers=headers, files={"file": ("x.csv", b"x\n1\n")})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Sent by another site"
    assert "send it without a browser" in answer.json()["detail"]


def test_a_key_does_not_help_another_site(demo: Path, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with client_of(demo, MemoryStore, all_keys(), audit=AuditLog(path)) as served:
        url = "/v1/models/demo/references/x/activation"
        assert served.put(url, headers={"X-API-Key": ADMIN, **EVIL}).status_code == 403
        # Nothing activates references here: 501 is the route's own answer.
        assert served.put(url, headers={"X-API-Key": ADMIN}).status_code == 501
    refused, _ = (json.loads(line) for line in path.read_text().splitlines())
    assert (refused["who"], refused["status"], refused["outcome"]) == ("anna", 403, "refused")


def test_own_pages_and_programs_reach_the_routes(client: TestClient) -> None:
    url = "/v1/models/demo/episodes/x/acknowledge"
    own = {"Origin": str(client.base_url), "Sec-Fetch-Site": "same-origin"}
    # There is no such episode.
    assert [client.post(url, headers=headers).status_code for headers in ({}, own)] == [404, 404]


def test_other_sites_may_look_but_not_read(client: TestClient) -> None:
    answer = client.get("/v1/models", headers=EVIL)
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_connections_for_events_of_other_sites_are_refused() -> None:
    async def accepts(scope: dict[str, object], receive: object, send: object) -> None:
        socket = WebSocket(scope, receive, send)  # type: ignore[arg-type]  # an ASGI application's
        await socket.accept()
        await socket.send_text("hello")

    client = TestClient(OwnSite(accepts))  # type: ignore[arg-type]  # an ASGI application
    with client.websocket_connect("/", headers={"Origin": "http://testserver"}) as socket:
        assert socket.receive_text() == "hello"
    with (
        pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
        client.websocket_connect("/", headers=EVIL),
    ):
        pass


def test_own_forms_may_name_their_origin(client: TestClient) -> None:
    # Fetch, "append a request Origin header": with `no-referrer` a form is sent with `Origin: null`.
    assert client.get("/healthz").headers["Referrer-Policy"] == "same-origin"
