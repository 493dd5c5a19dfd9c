"""How often one caller may ask, by a clock that the test moves."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from fastapi.testclient import TestClient

from flows.config import load_config
from flows.config_values import ConfigError
from flows.schema import FileConfig
from flows.sections.service import ServiceConfig, service_rates
from flows.serving import configured_service
from service.app import create_app
from service.context import Service
from service.ports import Rate
from service.rate_limit import Limiter
from service.stores import StorePool
from state.stores.memory import MemoryStore
from tests.service.served import READ, WRITE, all_keys

RATES = {"requests": Rate(amount=3, seconds=60), "uploads": Rate(amount=2, seconds=600)}


class Clock:
    """Seconds since the epoch, as the test says."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    # The library's storage reads the clock of its module, and takes none.
    monkeypatch.setattr("limits.storage.memory.time", SimpleNamespace(time=clock.time))
    return clock


@pytest.fixture
def client(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr("service.app.Limiter", lambda rates: Limiter(rates, clock.time))
    service = Service(models={}, stores=StorePool(lambda _model: MemoryStore()), keys=all_keys(), rates=RATES)
    with TestClient(create_app(service)) as client:
        yield client


def codes(client: TestClient, times: int, key: str | None = READ) -> list[int]:
    headers = {} if key is None else {"X-API-Key": key}
    return [client.get("/v1/models", headers=headers).status_code for _ in range(times)]


def test_one_more_than_allowed_is_refused_until_the_window_has_moved_on(
    client: TestClient, clock: Clock
) -> None:
    assert codes(client, 1) == [200]
    clock.now += 20
    assert codes(client, 2) == [200, 200]
    refused = client.get("/v1/models", headers={"X-API-Key": READ})
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    # The first request leaves the window of 60 s 40 s from now.
    assert refused.headers["retry-after"] == "40"
    assert refused.json()["detail"] == "More than 3 requests in 60 s; ask again in 40 s."
    assert refused.headers["x-content-type-options"] == "nosniff"
    clock.now += 41
    # One slot is free; the other two requests are still in the window.
    assert codes(client, 2) == [200, 429]


def test_every_answer_says_what_is_left(client: TestClient) -> None:
    answer = client.get("/v1/models", headers={"X-API-Key": READ})
    assert answer.headers["ratelimit-policy"] == '"requests";q=3;w=60'
    assert answer.headers["ratelimit"] == '"requests";r=2;t=60'


def test_callers_are_counted_apart_and_those_nobody_knows_by_their_address(client: TestClient) -> None:
    assert codes(client, 4, READ)[-1] == 429
    assert codes(client, 1, WRITE) == [200]
    assert codes(client, 2, "guess-0123456789-1") == [401, 401]
    # Another guess is the same caller: it comes from the same address.
    assert codes(client, 2, "guess-0123456789-2") == [401, 429]
    assert codes(client, 1, None) == [429]


def test_what_is_sent_has_a_limit_of_its_own(client: TestClient, clock: Clock) -> None:
    headers = {"X-API-Key": READ}
    sent = [client.post("/v1/comparisons", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [403, 403]
    assert sent[-1].headers["ratelimit"] == '"requests";r=1;t=60, "uploads";r=0;t=600'
    clock.now += 61
    refused = client.post("/v1/comparisons/", headers=headers)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "539")
    assert codes(client, 1) == [200]


def test_health_is_not_limited(client: TestClient) -> None:
    assert codes(client, 4)[-1] == 429
    answers = [client.get("/healthz", headers={"X-API-Key": READ}) for _ in range(10)]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[-1].headers


def test_rates_are_read_as_they_are_written() -> None:
    assert service_rates(ServiceConfig(rate_limit="5/second", upload_limit=None)) == {
        "requests": Rate(amount=5, seconds=1)
    }
    for text in ("fast", "0/minute", "10/week", "10 / minute", "-1/hour"):
        with pytest.raises(ConfigError, match=r"`service.upload_limit`: found '.*', wanted a number per"):
            service_rates(ServiceConfig(upload_limit=text))


def replace_model(file: FileConfig, name: str, service: ServiceConfig) -> FileConfig:
    model = msgspec.structs.replace(file.model, name=name)
    return msgspec.structs.replace(file, model=model, service=service)


def test_configurations_served_together_agree_about_the_service(demo: Path) -> None:
    plain = load_config(demo)
    said = replace(
        plain,
        file=replace_model(plain.file, "other", ServiceConfig(rate_limit="5/second")),
    )
    assert configured_service([plain, said], {}).rates["requests"] == Rate(amount=5, seconds=1)
    third = replace(said, file=replace_model(plain.file, "third", ServiceConfig(rate_limit="6/second")))
    with pytest.raises(ConfigError, match="`service`: found two that differ, of other and third"):
        configured_service([plain, said, third], {})
