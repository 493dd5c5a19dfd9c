"""A model version without a reference, on a real Kafka: its run waits and tells it once, or learns one."""

import json
import signal
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from flows.kafka.base import KafkaSettings, OutgoingRecord, TopicPartition
from flows.kafka.connect import connect
from state.events import EventType
from tests.command_line import Call, caller
from tests.contracts.kafka_broker import values_in
from tests.flows.test_cli_first_reference import PATIENCE_S, running, until

ROWS = 400
"""Of each of two partitions; a row every minute, so that windows of an hour hold 120."""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def lines(seed: int) -> list[bytes]:
    start = np.datetime64("2026-03-02T00:00:00")
    values = np.random.default_rng(seed).normal(size=ROWS)
    return [
        json.dumps({"t": f"{start + np.timedelta64(i, 'm')}Z", "x": float(x)}).encode()
        for i, x in enumerate(values)
    ]


def configured(folder: Path, bootstrap: str, topic: str, events: str, more: str) -> Path:
    path = folder / "driftflow.yaml"
    path.write_text(
        f"model: {{name: m}}\ninput: {{topics: [{topic}]{more}}}\nkafka: {{bootstrap: '{bootstrap}'}}\n"
        "time: {column: t, max_ahead: null, idle_timeout: null}\ncolumns: {x: {kind: numeric}}\n"
        f"windows: {{hourly: {{size: 1h}}}}\noutput: {{topics: {{events: {events}}}}}\n"
        "recovery: {folder: snapshots, interval: 500ms}\n"
    )
    return path


def produce(bootstrap: str, topic: str) -> None:
    with closing(connect(KafkaSettings(bootstrap=bootstrap))) as client:
        for partition in (0, 1):
            with closing(client.writer(TopicPartition(topic, partition), None)) as writer:
                writer.write([OutgoingRecord(key=None, value=line) for line in lines(partition)])


def types_in(bootstrap: str, topic: str) -> list[str]:
    return [json.loads(value or b"")["type"] for _, value, _ in values_in(bootstrap, topic)]


def test_the_event_is_in_the_topic_once(
    call: Call, kafka_bootstrap: str, new_topic: Callable[[int], str], tmp_path: Path
) -> None:
    topic, events = new_topic(2), new_topic(1)
    produce(kafka_bootstrap, topic)
    config = configured(tmp_path, kafka_bootstrap, topic, events, ", until_end: true")
    config.write_text(config.read_text() + "reference: {missing: wait}\n")
    good = tmp_path / "good.jsonl"
    good.write_bytes(b"\n".join(lines(9)) + b"\n")
    for _ in range(2):
        with running(config) as process:
            assert process.stderr is not None
            assert any("waits for a reference since" in line for line in process.stderr)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        assert types_in(kafka_bootstrap, events) == [EventType.MISSING]
    with running(config) as process:
        assert call("reference", "build", config, good).code == 0
        _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, said
    types = types_in(kafka_bootstrap, events)
    assert types.count(EventType.MISSING) == 1
    # 400 minutes are seven windows.
    assert types.count(EventType.REPORT) == 7


def test_a_live_topic_teaches_a_reference(
    call: Call, kafka_bootstrap: str, new_topic: Callable[[int], str], tmp_path: Path
) -> None:
    topic, events = new_topic(2), new_topic(1)
    config = configured(tmp_path, kafka_bootstrap, topic, events, "")
    config.write_text(config.read_text() + "reference: {missing: learn, rows: 301}\n")
    with running(config) as process:
        # Nothing is there yet; then more than is wanted.
        time.sleep(2.0)
        assert process.poll() is None
        produce(kafka_bootstrap, topic)
        until(lambda: EventType.REPORT in types_in(kafka_bootstrap, events), process)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, said
    (listed,) = call("reference", "list", config, "--json").json()
    assert listed["reference"]["rows"] == 301
    # The first 151 records of one partition and 150 of the other, whatever else was there.
    first = tmp_path / "first.jsonl"
    first.write_bytes(b"\n".join([*lines(0)[:151], *lines(1)[:150]]) + b"\n")
    built = call("reference", "build", config, first, "--json").json()
    assert (built["version"], built["new"]) == (listed["reference"]["version"], False)
