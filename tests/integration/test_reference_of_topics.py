"""driftflow reference build without a file, where the input is a topic."""

import json
from pathlib import Path

import pytest
from kafka import KafkaProducer  # type: ignore[import-untyped]  # it carries no type information

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
reference: {{rows: 150}}
"""


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def test_the_first_records_of_every_partition(
    call: Call, kafka_bootstrap: str, new_topic: NewTopic, tmp_path: Path
) -> None:
    topic = new_topic(2)
    producer = KafkaProducer(bootstrap_servers=kafka_bootstrap)
    for i in range(400):
        record = json.dumps({"ts": "2026-01-05T00:00:00Z", "x": i}).encode()
        producer.send(topic, record, partition=i % 2)
    producer.close()
    path = tmp_path / "driftflow.yaml"
    path.write_text(CONFIG.format(topic=topic, bootstrap=kafka_bootstrap))

    assert call("reference", "build", path, "--json").json()["rows"] == 150
    named = call("reference", "build", path, "--rows", 200, "--json").json()
    shown = call("reference", "show", path, named["version"], "--json").json()

    assert named["rows"] == 200
    # The first hundred of either partition: 0, 2, ... 198 and 1, 3, ... 199.
    (column,) = shown["columns"]
    assert (column["minimum"], column["maximum"]) == (0, 199)
