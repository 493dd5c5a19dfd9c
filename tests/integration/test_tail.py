"""The consumer's side of the topic of events: driftflow tail, and the subscriber of the examples."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

import orjson
import pytest

from flows.kafka.base import KafkaSettings
from flows.kafka.connect import connect
from flows.sinks.kafka import KafkaEventSink
from state.events import EventType
from state.stores.base import StoredEvent
from tests.command_line import Call, caller
from tests.contracts.kafka_broker import open_transaction
from tests.integration.processes import ROOT
from tests.integration.stream import write_stream

NewTopic = Callable[[int], str]
KINDS = (EventType.OPENED, EventType.UPDATED, EventType.CLOSED, EventType.REPORT)


def an_event(number: int, model: str = "demo") -> StoredEvent:
    kind = KINDS[number % len(KINDS)]
    identity = f"{model}-{number}"
    body = {"id": identity, "type": kind, "subject": f"{model}/1/day", "partitionkey": model}
    return StoredEvent(
        id=identity,
        type=kind,
        model=model,
        model_version="1",
        window="day",
        feature=None,
        episode=None,
        end=number,
        body=orjson.dumps(body),
    )


def publish(bootstrap: str, topic: str, events: list[StoredEvent], *, job: str = "demo/1") -> None:
    """Write as a run does; another job has no memory of what the first one wrote."""
    sink = KafkaEventSink(lambda: connect(KafkaSettings(bootstrap=bootstrap)), topic, job=job)
    parts = sink.list_parts()
    for model in sorted({event.model for event in events}):
        part = parts[sink.part_fn(model) % len(parts)]
        with closing(sink.build_part("events", part, None)) as partition:
            partition.write_batch([event for event in events if event.model == model])


@contextmanager
def started(*command: object) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    process = subprocess.Popen(
        [sys.executable, *map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    return caller(capsys, monkeypatch, 200)


def config_in(folder: Path, bootstrap: str, topic: str) -> Path:
    path = write_stream(folder, rows=10, reference_rows=100).config()
    text = path.read_text().replace("output: {", f"output: {{topics: {{events: {topic}}}, ")
    path.write_text(f"{text}kafka: {{bootstrap: '{bootstrap}'}}\n")
    return path


def test_a_topic_is_told_once_however_often_it_was_written(
    call: Call, kafka_bootstrap: str, new_topic: NewTopic, tmp_path: Path
) -> None:
    topic = new_topic(3)
    events = [an_event(number) for number in range(8)]
    publish(kafka_bootstrap, topic, [*events, an_event(0, "credit")])
    publish(kafka_bootstrap, topic, events, job="a zombie without transactions")
    config = config_in(tmp_path / "data", kafka_bootstrap, topic)

    def told(*options: object) -> list[bytes]:
        found = call("tail", config, "--json", "--no-follow", *options)
        assert (found.code, found.err) == (0, "")
        return found.out.encode().splitlines()

    with open_transaction(kafka_bootstrap, topic, an_event(99).body):
        assert told() == [event.body for event in events]
    assert told("--types", "closed", "--since", 1) == [events[6].body]
    assert told("--since", "latest") == []


def test_a_topic_is_followed_until_ctrl_c(kafka_bootstrap: str, new_topic: NewTopic, tmp_path: Path) -> None:
    topic = new_topic(2)
    config = config_in(tmp_path / "data", kafka_bootstrap, topic)
    publish(kafka_bootstrap, topic, [an_event(0)])
    with started("-m", "flows.cli", "tail", config, "--json") as (process, out):
        assert out.readline() == an_event(0).body + b"\n"
        publish(kafka_bootstrap, topic, [an_event(0), an_event(1)], job="another")
        assert out.readline() == an_event(1).body + b"\n"
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=30)
        assert (process.returncode, rest, err) == (0, b"", b"")


def test_a_topic_that_is_missing_is_told(call: Call, kafka_bootstrap: str, tmp_path: Path) -> None:
    config = config_in(tmp_path / "data", kafka_bootstrap, "driftflow-test-no-such-topic")
    told = call("tail", config, "--no-follow")
    assert told.code == 1
    assert "driftflow-test-no-such-topic" in told.err


def test_the_subscriber_sees_what_it_wants_once(kafka_bootstrap: str, new_topic: NewTopic) -> None:
    topic = new_topic(2)
    events = [an_event(number) for number in range(6)]
    publish(kafka_bootstrap, topic, events)
    publish(kafka_bootstrap, topic, events, job="a zombie without transactions")
    publish(kafka_bootstrap, topic, [an_event(8)], job="the last one")
    # The kinds of opened and closed events, see `KINDS`; 8 ends the test.
    wanted = [0, 2, 4, 8]
    with started("examples/subscriber/subscriber.py", kafka_bootstrap, topic) as (_, out):
        told = [out.readline().decode().split() for _ in wanted]
    assert told == [[KINDS[n % 4], "demo/1/day", f"demo-{n}"] for n in wanted]


def test_the_subscriber_does_not_see_what_is_not_committed(kafka_bootstrap: str, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    with open_transaction(kafka_bootstrap, topic, an_event(4).body):
        pass
    publish(kafka_bootstrap, topic, [an_event(0)])
    with started("examples/subscriber/subscriber.py", kafka_bootstrap, topic) as (_, out):
        assert out.readline().decode().split()[2] == "demo-0"


def test_the_subscriber_has_ten_lines() -> None:
    text = (ROOT / "examples" / "subscriber" / "subscriber.py").read_text()
    code = text.partition("WANTED")[2].splitlines()
    assert len(code) <= 10
    assert "read_committed" in text
