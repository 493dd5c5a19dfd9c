"""What the compose file runs beside the program: topics are made, and the stream is written once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from deploy.compose.produce import produce
from deploy.compose.topics import create_topics
from flows.config import Config, load_config
from flows.kafka.base import Isolation, KafkaSettings
from flows.kafka.connect import connect
from flows.scenarios.base import ScenarioOptions
from flows.scenarios.lines import json_lines
from flows.scenarios.registry import scenario
from tests.integration.services import NewTopic

ROOT = Path(__file__).parents[2]
ROWS, PARTITIONS = 1_000, 3
STEP_MS = 30_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def config(
    tmp_path: Path, kafka_bootstrap: str, new_topic: NewTopic, monkeypatch: pytest.MonkeyPatch
) -> Config:
    """Give the configuration of the compose file, on topics that nobody used before."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP", kafka_bootstrap)
    monkeypatch.setenv("KAFKA_LIBRARY", "kafka-python")
    text = (ROOT / "deploy/compose/driftflow.yaml").read_text()
    path = tmp_path / "driftflow.yaml"
    path.write_text(text.replace("[demo-events]", f"[{new_topic(PARTITIONS)}]"))
    return load_config(path)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    options = ScenarioOptions(rows=ROWS, seed=1, step_ms=STEP_MS)
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in json_lines(scenario("demo"), options, 0, ROWS)))
    return path


def _stored(config: Config, bootstrap: str) -> list[list[tuple[int, bytes | None]]]:
    """Read times and values of each partition."""
    client = connect(KafkaSettings(bootstrap=bootstrap))
    found = []
    for at in client.partitions(config.file.input.topics or ()):
        reader = client.reader(at, Isolation.COMMITTED)
        end = client.bounds(at, Isolation.UNCOMMITTED).end
        reader.seek(0)
        records: list[tuple[int, bytes | None]] = []
        while reader.position() < end:
            records += [(record.timestamp_ms, record.value) for record in reader.poll(1_000, 1 << 20)]
        found.append(records)
        reader.close()
    client.close()
    return found


def test_rows_are_dealt_in_order_with_the_time_of_their_event(
    config: Config, events: Path, kafka_bootstrap: str
) -> None:
    assert produce(config, events) == ROWS
    lines = events.read_bytes().splitlines()
    told = [orjson.loads(line)["ts"] for line in lines]
    assert told[0].startswith("2026-01-05T00:00:0")
    for partition, records in enumerate(_stored(config, kafka_bootstrap)):
        assert [value for _, value in records] == lines[partition::PARTITIONS]
        times = [EPOCH + timedelta(milliseconds=time) for time, _ in records]
        shown = [f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1_000:03d}Z" for time in times]
        assert shown == told[partition::PARTITIONS]


def test_started_again_it_writes_what_is_missing(
    config: Config, events: Path, kafka_bootstrap: str, tmp_path: Path
) -> None:
    # A run that ended in the middle left the partitions at unequal lengths.
    lines = events.read_bytes().splitlines(keepends=True)
    begun = tmp_path / "begun.jsonl"
    begun.write_bytes(b"".join(lines[:451]))
    assert produce(config, begun) == 451
    assert produce(config, events) == ROWS - 451
    assert produce(config, events) == 0
    assert sum(len(records) for records in _stored(config, kafka_bootstrap)) == ROWS


def test_pace_is_kept(config: Config, events: Path) -> None:
    slept: list[float] = []
    assert produce(config, events, rows_per_s=100.0, clock=lambda: 0.0, sleep=slept.append) == ROWS
    # On a clock that stands still every sleep is as long as all rows so far should have taken.
    assert slept == [4.0, 8.0, 10.0]


@pytest.mark.usefixtures("config")
def test_topics_are_made_once(tmp_path: Path, kafka_bootstrap: str, new_topic: NewTopic) -> None:
    there = new_topic(1)
    text = (tmp_path / "driftflow.yaml").read_text()
    (tmp_path / "driftflow.yaml").write_text(
        text.replace("demo-drift-events", f"{there}-events").replace("demo-dead-letters", there)
    )
    wanted = load_config(tmp_path / "driftflow.yaml")
    assert create_topics(wanted, partitions=PARTITIONS) == [f"{there}-events"]
    assert create_topics(wanted, partitions=PARTITIONS) == []
    client = connect(KafkaSettings(bootstrap=kafka_bootstrap))
    assert len(client.partitions([f"{there}-events"])) == 1
    client.close()
