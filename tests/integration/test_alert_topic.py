"""Alerts on a topic of a real Kafka, through both client libraries."""

import io
import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from alerts.channels.base import Channel, TryAgainError
from alerts.channels.cloud_event import CONTENT_TYPE
from alerts.samples import sample_notice
from flows.alert_channels import open_channel
from flows.alert_topic import PATIENCE_S, publisher_opener
from flows.config import Config, load_config
from flows.kafka.base import KafkaSettings, OutgoingRecord, TopicPartition
from flows.kafka.connect import Library, connect
from flows.kafka.partitioner import partition_hash
from flows.sections.channels import ChannelConfig
from tests.alerts.events import opened
from tests.command_line import caller
from tests.contracts.kafka_broker import values_in
from tests.integration.processes import free_ports

NewTopic = Callable[[int], str]
LIBRARIES: tuple[Library, ...] = ("kafka-python", "librdkafka")

pytestmark = pytest.mark.parametrize("library", LIBRARIES)


def configured(folder: Path, bootstrap: str, library: Library, *, events: str | None = None) -> Config:
    path = folder / "driftflow.yaml"
    given = {
        "model": {"name": "fraud"},
        "input": {"path": "events.jsonl"},
        "time": {"column": "ts"},
        "windows": {"daily": {"size": "1d"}},
        "columns": {"amount": {"kind": "numeric"}},
        "kafka": {"bootstrap": bootstrap, "library": library},
        "output": {"topics": {} if events is None else {"events": events}},
    }
    # JSON is YAML.
    path.write_text(json.dumps(given))
    return load_config(path)


def channel_of(config: Config, topic: str) -> Channel:
    made = msgspec.convert({"type": "kafka", "topic": topic}, ChannelConfig)
    return open_channel(
        "stream",
        made,
        folder=config.folder,
        environ={},
        stream=io.StringIO(),
        kafka=publisher_opener(config, {}),
    )


def test_alerts_are_in_the_models_partition_each_once(
    kafka_bootstrap: str, new_topic: NewTopic, library: Library, tmp_path: Path
) -> None:
    topic = new_topic(3)
    notices = [sample_notice("stream", model="fraud", decided_ms=at) for at in range(3)]
    config = configured(tmp_path, kafka_bootstrap, library)
    with closing(channel_of(config, topic)) as channel:
        for notice in notices[:2]:
            channel.send(notice)
        # Another process takes over: the one before is fenced, and succeeds when it tries again.
        with closing(channel_of(config, topic)) as other:
            other.send(notices[2])
            with pytest.raises(TryAgainError, match="taken over") as caught:
                channel.send(notices[0])
            assert caught.value.__cause__ is caught.value.__context__ is None
            channel.send(notices[0])
    found = values_in(kafka_bootstrap, topic, partition_hash(b"fraud") % 3)
    wanted = [notices[place].id for place in (0, 1, 2, 0)]
    assert [headers["driftflow-notice"].decode() for _, _, headers in found] == wanted
    assert [json.loads(value or b"")["id"] for _, value, _ in found] == wanted
    assert {(key, headers["content-type"]) for key, _, headers in found} == {
        (b"fraud", CONTENT_TYPE.encode())
    }


def test_a_topic_that_is_not_there_yet_is_tried_again(
    kafka_bootstrap: str, library: Library, tmp_path: Path
) -> None:
    config = configured(tmp_path, kafka_bootstrap, library)
    with (
        closing(channel_of(config, "driftflow-test-nobody-made-it")) as channel,
        pytest.raises(TryAgainError, match="topic"),
    ):
        channel.send(sample_notice("stream"))


def test_brokers_that_are_away_are_tried_again_in_bounded_time(library: Library, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    config = configured(tmp_path, f"127.0.0.1:{port}", library)
    began = time.monotonic()
    with closing(channel_of(config, "alerts")) as channel, pytest.raises(TryAgainError):
        channel.send(sample_notice("stream"))
    assert time.monotonic() - began < 2 * PATIENCE_S + 2


def test_an_event_that_only_the_topic_has_is_explained(
    kafka_bootstrap: str,
    new_topic: NewTopic,
    library: Library,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    topic = new_topic(2)
    config = configured(tmp_path, kafka_bootstrap, library, events=topic)
    with (
        closing(connect(KafkaSettings(bootstrap=kafka_bootstrap), library)) as client,
        closing(client.writer(TopicPartition(topic, 1), None)) as writer,
    ):
        writer.write([OutgoingRecord(key=b"fraud", value=opened("amount"))])
    call = caller(capsys, monkeypatch)
    path = config.folder / "driftflow.yaml"
    assert "1 sent" in call("alert", path, "--once").err
    told = call("alert", "explain", path, "io.driftflow.drift.opened/am", "--json").json()
    assert told["signal"]["episode"] == "amount"
    assert [each["delivery"] for each in told["notices"]] == ["sent"]
    unknown = call("alert", "explain", path, "zzz")
    assert (unknown.code, "no event or episode of model 'fraud' begins with 'zzz'" in unknown.err) == (
        2,
        True,
    )
