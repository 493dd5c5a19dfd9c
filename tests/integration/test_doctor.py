"""driftflow doctor against a real broker and a real Redis."""

from pathlib import Path

import pytest
from kafka import KafkaProducer  # type: ignore[import-untyped]  # it carries no type information
from redis import Redis

from tests.command_line import Call, caller
from tests.integration.services import NewTopic

CONFIG = """
model: {{name: m}}
input: {{topics: [{topic}]}}
time: {{column: ts}}
columns:
  x: {{kind: numeric}}
windows:
  hourly: {{size: 1h}}
kafka: {{bootstrap: '{bootstrap}'}}
output: {{store: '{redis}', topics: {{events: {events}}}}}
recovery: {{folder: recovery}}
"""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def test_services_topics_and_their_last_records(
    call: Call, kafka_bootstrap: str, redis_url: str, new_topic: NewTopic, tmp_path: Path
) -> None:
    topic = new_topic(2)
    producer = KafkaProducer(bootstrap_servers=kafka_bootstrap)
    for value in (b'{"ts": "2026-01-05T00:00:00Z", "x": 1}', b'{"ts": "2150-01-05T00:00:00Z", "x": 2}', b"{"):
        producer.send(topic, value, partition=0)
    producer.close()
    path = tmp_path / "driftflow.yaml"
    path.write_text(CONFIG.format(topic=topic, bootstrap=kafka_bootstrap, redis=redis_url, events="nowhere"))

    told = call("doctor", path, "--json").json()

    by_text = {each["text"]: each["health"] for each in told}
    assert by_text[f"{kafka_bootstrap} answers"] == "ok"
    assert by_text[f"2 partitions, 3 records: {topic}"] == "ok"
    assert by_text["1 partition without a record"] == "warning"
    assert by_text["2 records of 3 looked at can be used; refused: 1 truncated"] == "warning"
    (clock,) = [each for each in told if "ahead of this machine's clock" in each["text"]]
    assert clock["health"] == "warning"
    assert [each["health"] for each in told if each["area"] == "reference"] == ["problem"]
    (missing,) = [each for each in told if "nowhere" in each["text"]]
    assert (missing["area"], missing["health"]) == ("output", "problem")


def test_a_server_that_evicts_is_no_store(
    call: Call, kafka_bootstrap: str, redis_url: str, new_topic: NewTopic, tmp_path: Path
) -> None:
    path = tmp_path / "driftflow.yaml"
    topic, events = new_topic(1), new_topic(1)
    path.write_text(CONFIG.format(topic=topic, bootstrap=kafka_bootstrap, redis=redis_url, events=events))
    with Redis.from_url(redis_url) as server:
        before = server.config_get("maxmemory-policy")["maxmemory-policy"]
        server.config_set("maxmemory-policy", "allkeys-lru")
        try:
            told = call("doctor", path, "--json").json()
        finally:
            server.config_set("maxmemory-policy", before)
    (warning,) = [each for each in told if "allkeys-lru" in each["text"]]
    assert (warning["area"], warning["health"]) == ("store", "warning")
    assert "noeviction" in warning["advice"]
