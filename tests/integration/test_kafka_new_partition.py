import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import orjson
import pytest

from flows.kafka.base import KafkaClient, KafkaSettings, OutgoingRecord
from flows.kafka.base import TopicPartition as At
from flows.kafka.connect import connect
from flows.recovery import noted_partitions
from flows.scenarios.base import ScenarioOptions
from flows.scenarios.lines import json_lines, json_reference
from flows.scenarios.registry import scenario
from state.events import EventType
from tests.command_line import Call, caller
from tests.contracts.kafka_broker import add_partitions
from tests.integration.processes import ROOT

pytestmark = pytest.mark.crash

ROWS = 6_000
PATIENCE_S = 60.0
OPTIONS = ScenarioOptions(rows=ROWS, seed=11, disorder_ms=90_000, reference_rows=2_000)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch)


def config_in(folder: Path, bootstrap: str, topic: str, *, until_end: bool) -> Path:
    folder.mkdir(exist_ok=True)
    columns = "\n".join(
        f"  {c.name}: {{kind: {c.kind}, role: {c.role}, path: {c.path}}}" for c in scenario("demo").columns
    )
    path = folder / "driftflow.yaml"
    path.write_text(f"""
model: {{name: demo}}
kafka: {{bootstrap: "{bootstrap}"}}
input: {{topics: [{topic}], until_end: {str(until_end).lower()}}}
time: {{column: ts, lateness: 2m, idle_timeout: null}}
windows: {{shift: {{size: 6h}}}}
recovery: {{folder: recovery, interval: 200ms}}
columns:
{columns}
""")
    return path


def put(client: KafkaClient, topic: str, lines: Sequence[bytes], partitions: Sequence[int], of: int) -> None:
    """Write the shares of some partitions, where lines are dealt to so many."""
    for partition in partitions:
        with closing(client.writer(At(topic, partition), None)) as writer:
            writer.write([OutgoingRecord(key=None, value=line) for line in lines[partition::of]])


@contextmanager
def supervised(config: Path, said: list[str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.integration.hasty", "run", str(config), "--workers", "2"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )

    def read() -> None:
        assert process.stderr is not None
        said.extend(process.stderr)

    thread = Thread(target=read)
    thread.start()
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        thread.join()
        assert process.stderr is not None
        process.stderr.close()


def until(holds: Callable[[], object], said: list[str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, said
        time.sleep(0.05)


def test_a_partition_that_is_added_to_a_topic_is_taken_in(
    kafka_bootstrap: str, new_topic: Callable[[int], str], call: Call, tmp_path: Path
) -> None:
    topic = new_topic(2)
    lines = json_lines(scenario("demo"), OPTIONS, 0, ROWS)
    reference = tmp_path / "reference.jsonl"
    reference.write_bytes(b"\n".join(json_reference(scenario("demo"), OPTIONS, 0, 2_000)))
    config = config_in(tmp_path / "set", kafka_bootstrap, topic, until_end=False)
    assert call("reference", "build", config, reference).code == 0
    added = f"{topic}/2"
    said: list[str] = []
    with closing(connect(KafkaSettings(bootstrap=kafka_bootstrap))) as client:
        put(client, topic, lines[: ROWS // 2], (0, 1), of=2)
        with supervised(config, said) as process:
            log = tmp_path / "set" / "out" / "events.jsonl"
            until(lambda: log.exists() and log.stat().st_size, said)
            add_partitions(kafka_bootstrap, topic, 3)
            # What the old partitions get before the new one is known closes windows that lack its rows: see
            # docs/operations.md, "New partitions", and tests/state/test_new_partitions.py.
            later = lines[ROWS // 2 :]
            put(client, topic, later, (2,), of=3)
            until(lambda: added in (noted_partitions(tmp_path / "set" / "recovery") or ()), said)
            told = log.stat().st_size
            put(client, topic, later, (0, 1), of=3)
            until(lambda: log.stat().st_size > told, said)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0, said
    assert any(f"partitions have changed (new: {added})" in line for line in said), said

    config_in(tmp_path / "set", kafka_bootstrap, topic, until_end=True)
    assert call("run", config).code == 0
    whole = config_in(tmp_path / "whole", kafka_bootstrap, topic, until_end=True)
    assert call("reference", "build", whole, reference).code == 0
    assert call("run", whole).code == 0
    found, wanted = (
        (tmp_path / name / "out" / "events.jsonl").read_bytes().splitlines() for name in ("set", "whole")
    )
    assert found == wanted
    reports = [
        event["data"]["window"] for event in map(orjson.loads, found) if event["type"] == EventType.REPORT
    ]
    assert sum(report["rows"] for report in reports) == ROWS
    assert not any(report["late_rows"] for report in reports)
