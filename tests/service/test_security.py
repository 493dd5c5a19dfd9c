"""Who may do what, and what a service without keys may listen to."""

import logging
import re
from pathlib import Path

import pytest

from service.security import BadKeysError, Caller, Right, check_address, read_keys
from state.stores.base import Store, StoreBusyError
from state.stores.memory import MemoryStore
from tests.leaks import spellings
from tests.service.served import ADMIN, KEYS, READ, all_keys, client_of


def test_keys_are_found_by_what_they_are() -> None:
    keys = read_keys(KEYS)
    assert keys.find(READ) == Caller(name="grafana", right=Right.READ)
    assert keys.find(ADMIN) == Caller(name="anna", right=Right.ADMIN)
    assert keys.find(READ + "x") is None
    assert keys.find(None) is None
    assert READ not in repr(keys)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("grafana", "entry 1 is not written name:role:key"),
        (f"a:read:{READ},b:read:", "entry 2 is not written name:role:key"),
        (f"a:owner:{READ}", "a: found another role, wanted read, write or admin"),
        ("a:read:short", "the key has 5 characters, wanted 16 or more"),
        (f"a:read:{READ},a:read:{ADMIN}", "the name a stands twice"),
    ],
)
def test_keys_that_cannot_be_used_are_refused_unseen(text: str, told: str) -> None:
    with pytest.raises(BadKeysError, match=told) as error:
        read_keys(text)
    assert READ not in str(error.value)
    assert "short" not in str(error.value)


def test_without_keys_only_this_machine_is_served() -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        check_address(host, read_keys(None))
    check_address("10.0.0.7", read_keys(KEYS))
    with pytest.raises(BadKeysError, match="can be reached by other machines"):
        check_address("10.0.0.7", read_keys(""))


def test_every_route_under_v1_asks_for_a_key(demo: Path) -> None:
    with client_of(demo, MemoryStore, all_keys()) as client:
        paths = client.get("/openapi.json").json()["paths"]
        routes = [(path, method) for path in paths if path.startswith("/v1") for method in paths[path]]
        assert len(routes) >= 15
        for path, method in routes:
            asked = re.sub(r"\{\w+\}", "x", path.replace("{model}", "demo"))
            assert client.request(method, asked).status_code == 401
            wrong = client.request(method, asked, headers={"X-API-Key": "no-such-key-0123456789"})
            assert wrong.status_code == 401
            assert wrong.json()["detail"] == "Nobody has this key."
        assert client.get("/v1/models", headers={"X-API-Key": READ}).status_code == 200
        assert client.get("/healthz").status_code == 200


def test_no_key_is_said_again(
    demo: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    given = ({"X-API-Key": ADMIN}, {"X-API-Key": ADMIN + "x"}, {"Authorization": f"Bearer {ADMIN}"})
    with client_of(demo, MemoryStore, all_keys()) as client:
        for path in ("/v1/models", "/v1/models/none", "/v1/models/demo/events?limit=x", "/nowhere", "/"):
            for headers in given:
                answer = client.get(path, headers=headers)
                said.append(f"{answer.status_code} {answer.headers} {answer.text}")
    text = "\n".join([*said, caplog.text, *capfd.readouterr()])
    assert [each for each in spellings(ADMIN) if each in text] == []


def test_a_key_may_come_as_a_bearer_token(demo: Path) -> None:
    with client_of(demo, MemoryStore, all_keys()) as client:

        def status(headers: dict[str, str]) -> int:
            return client.get("/metrics", headers=headers).status_code

        assert status({"Authorization": f"Bearer {READ}"}) == 200
        assert status({"Authorization": f"bearer  {READ}"}) == 200
        for refused in ("Bearer", "Bearer ", f"Basic {READ}", READ, "Bearer no-such-key-0123456789"):
            assert status({"Authorization": refused}) == 401
        # What stands in the header of its own counts.
        assert status({"X-API-Key": "no-such-key-0123456789", "Authorization": f"Bearer {READ}"}) == 401


def test_a_store_that_is_away_is_a_503_that_says_when_to_come_back(demo: Path) -> None:
    def away() -> Store:
        raise StoreBusyError("store redis://localhost:1/0: it cannot be reached; try again when it is up")

    with client_of(demo, away) as client:
        answer = client.get("/v1/models")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert "cannot be reached" in answer.json()["detail"]
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"demo": "store away"})


def test_before_the_first_run_there_is_nothing_and_no_error(demo: Path) -> None:
    with client_of(demo, lambda: None) as client:
        (model,) = client.get("/v1/models").json()
        assert (model["reference"], model["last_window"], model["open_episodes"]) == (None, None, 0)
