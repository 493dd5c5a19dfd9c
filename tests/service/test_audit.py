"""What is written of changes and refusals, and what never is."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.middleware.sessions import SessionMiddleware

from flows.config import load_config
from flows.config_values import ConfigError
from flows.serving import configured_service
from service.app import create_app
from service.audit import AuditLog, request_audit
from service.context import Service
from service.dashboard import login, reference_parts
from service.ports import Rate
from service.security import VARIABLE
from service.stores import StorePool
from service.watching import Watch
from state.stores.memory import MemoryStore
from tests.contracts.store_values import an_episode
from tests.service.served import ADMIN, KEYS, READ, WRITE, all_keys, client_of

GUESS = "guessed-key-0123456789"
AT_S = 1_767_225_600.0
"""2026-01-01T00:00:00Z, by `date -u -d @1767225600`."""


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_changes_and_refusals_are_written_and_looks_are_not(demo: Path, tmp_path: Path) -> None:
    path, store = tmp_path / "audit.jsonl", MemoryStore()
    store.put_episodes([an_episode("one", model="demo")])
    audit = AuditLog(path, lambda: AT_S)
    with client_of(demo, lambda: store, all_keys(), audit=audit) as client:
        client.get("/v1/models", headers={"X-API-Key": READ})
        client.post("/v1/models/demo/episodes/one/acknowledge", headers={"X-API-Key": WRITE})
        client.put("/v1/models/demo/references/x/activation", headers={"X-API-Key": WRITE})
        client.get("/v1/models", headers={"X-API-Key": GUESS})
        client.get("/v1/models?key=" + GUESS)
        client.put("/v1/models/demo/references/x/activation", headers={"X-API-Key": ADMIN})
    acknowledged, forbidden, *unknown, failed = lines_of(path)
    assert acknowledged == {
        "time": "2026-01-01T00:00:00.000Z",
        "who": "pipeline",
        "what": "POST /v1/models/{model}/episodes/{episode_id}/acknowledge",
        "path": "/v1/models/demo/episodes/one/acknowledge",
        "from": "testclient",
        "status": 200,
        "outcome": "done",
    }
    assert (forbidden["who"], forbidden["status"], forbidden["outcome"]) == ("pipeline", 403, "refused")
    assert [(each["who"], each["what"], each["status"]) for each in unknown] == [
        (None, "GET /v1/models", 401)
    ] * 2
    # Nothing activates references here: 501.
    assert (failed["who"], failed["status"], failed["outcome"]) == ("anna", 501, "failed")
    text = path.read_text()
    assert not [key for key in (READ, WRITE, ADMIN, GUESS) if key in text]


def test_of_a_flood_one_line_a_minute_is_written(demo: Path, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    rates = {"requests": Rate(amount=2, seconds=3_600)}
    with client_of(demo, MemoryStore, all_keys(), audit=AuditLog(path), rates=rates) as client:
        for key in (READ, WRITE):
            codes = [client.get("/v1/models", headers={"X-API-Key": key}).status_code for _ in range(10)]
            assert codes == [200, 200] + [429] * 8
    assert [(each["who"], each["status"]) for each in lines_of(path)] == [("grafana", 429), ("pipeline", 429)]


def test_a_file_that_was_moved_away_is_begun_anew(demo: Path, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with client_of(demo, MemoryStore, audit=AuditLog(path)) as client:
        client.post("/v1/models/demo/episodes/x/acknowledge")
        path.rename(tmp_path / "audit.1")
        client.post("/v1/models/demo/episodes/y/acknowledge")
    (before,), (after,) = lines_of(tmp_path / "audit.1"), lines_of(path)
    assert (before["who"], before["outcome"]) == ("anyone", "refused")
    assert (before["path"][-13:], after["path"][-13:]) == ("x/acknowledge", "y/acknowledge")


def test_a_path_of_a_caller_is_cut_and_makes_no_line_of_its_own(demo: Path, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with client_of(demo, MemoryStore, audit=AuditLog(path)) as client:
        client.post("/v1/" + "x" * 5_000 + '%0A{"who":"anna"}')
        client.post('/v1/%0A{"who":"anna"}')
    long, short = lines_of(path)
    assert len(long["path"]) == len(long["what"]) == 300
    assert (short["who"], short["path"]) == ("anyone", '/v1/\n{"who":"anna"}')


def test_keys_shown_to_pages_are_written_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    app = FastAPI()
    app.include_router(login.router)
    app.include_router(reference_parts.router)
    app.state.service = Service(models={}, stores=StorePool(lambda _model: None), keys=all_keys())
    audit = AuditLog(path)
    app.add_middleware(Watch, on_answer=request_audit(all_keys(), audit))
    app.add_middleware(SessionMiddleware, secret_key=GUESS)
    with TestClient(app, follow_redirects=False) as client:
        client.get("/login")
        assert client.post("/login", data={"key": GUESS}).status_code == 401
        assert client.post("/login", data={"key": READ}).status_code == 303
        # Who may only read builds no reference, and is told so by the page that the answer leads to.
        sent = client.post("/models/demo/references", files={"file": ("good.csv", b"x\n1\n")})
        assert (sent.status_code, sent.headers["location"]) == (303, "/models/demo/references")
        assert client.post("/logout").status_code == 303
    audit.close()
    assert [(each["who"], each["what"], each["outcome"]) for each in lines_of(path)] == [
        (None, "POST /login", "refused"),
        ("grafana", "POST /login", "done"),
        ("grafana", "POST /models/{name}/references", "refused"),
        ("grafana", "POST /logout", "done"),
    ]
    assert not [key for key in (READ, GUESS) if key in path.read_text()]


def test_the_configuration_names_the_file(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "driftflow.yaml"
    text = demo.read_text()
    for place, where in (("audit.jsonl", tmp_path / "audit.jsonl"), ("'-'", None)):
        config.write_text(f"{text}\nservice: {{audit_log: {place}}}\n")
        service = configured_service([load_config(config)], {VARIABLE: KEYS})
        with TestClient(create_app(service)) as client:
            client.post("/v1/comparisons", headers={"X-API-Key": READ})
        told = capsys.readouterr().out if where is None else where.read_text()
        assert json.loads(told)["who"] == "grafana"
    config.write_text(f"{text}\nservice: {{audit_log: none/such/audit.jsonl}}\n")
    with pytest.raises(
        ConfigError, match=r"`service.audit_log`: found 'none/such/audit.jsonl', which cannot"
    ):
        configured_service([load_config(config)], {})
