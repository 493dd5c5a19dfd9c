import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from bytewax.recovery import init_db_dir

from flows.batch import DeadLetter, LateRow
from flows.decode.base import Reason
from flows.kafka.base import KafkaSettings
from flows.kafka.connect import Library, connect
from flows.sinks.kafka import KafkaEventSink, KafkaRecordSink
from tests.contracts.kafka_broker import values_in
from tests.integration.kafka_flow import PARTS, event
from tests.integration.processes import ROOT, Runner, free_ports

NewTopic = Callable[[int], str]
PARTITIONS = 3
COUNT = 240
"""Events of each part; with the pauses below a run takes about two seconds, and a kill lands in it."""
PAUSE_S = 0.01


def start(bootstrap: str, topic: str, recovery: Path, *options: str, members: int = 1) -> list[Runner]:
    addresses = [f"127.0.0.1:{port}" for port in free_ports(members)] if members > 1 else []
    runners = []
    for member in range(members):
        own = ["--member", str(member), "--addresses", *addresses] if addresses else []
        command = [sys.executable, "-m", "tests.integration.kafka_flow", bootstrap, topic, str(recovery)]
        command += ["--count", str(COUNT), "--pause-s", str(PAUSE_S), *options, *own]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        runner = Runner(process)
        runner.listen()
        runners.append(runner)
    return runners


def until_writing(runners: Sequence[Runner]) -> None:
    deadline = time.monotonic() + 30
    while not any("writing" in runner.said for runner in runners):
        assert time.monotonic() < deadline
        assert all(runner.running for runner in runners)
        time.sleep(0.01)


def end(runners: Sequence[Runner], number: signal.Signals = signal.SIGKILL) -> None:
    for runner in runners:
        if runner.running:
            runner.ask(number)
    for runner in runners:
        runner.wait()
        assert runner.process.stdout is not None
        runner.process.stdout.close()


def assert_each_once(bootstrap: str, topic: str, isolation: str = "read_committed") -> None:
    seen: Counter[str] = Counter()
    numbers = defaultdict(list)
    for partition in range(PARTITIONS):
        for key, value, headers in values_in(bootstrap, topic, partition, isolation=isolation):
            assert key is not None
            assert value is not None
            seen[headers["ce_id"].decode()] += 1
            numbers[key].append(msgspec.json.decode(value)["data"]["n"])
    assert [identity for identity, times in seen.items() if times > 1] == []
    wanted = {event(part, number).id for part in PARTS for number in range(COUNT)}
    assert set(seen) == wanted
    # The events of a model came from one part, and stay in order.
    assert all(found == sorted(found) for found in numbers.values())


@pytest.fixture
def recovery(tmp_path: Path) -> Path:
    folder = tmp_path / "recovery"
    folder.mkdir()
    init_db_dir(folder, 2)  # type: ignore[no-untyped-call]  # Bytewax's
    return folder


@pytest.mark.crash
@pytest.mark.parametrize(
    ("library", "plain"),
    [("kafka-python", False), ("librdkafka", False), ("kafka-python", True)],
    ids=["kafka-python", "librdkafka", "kafka-python without transactions"],
)
def test_killed_again_and_again_every_event_is_there_once(
    kafka_bootstrap: str,
    new_topic: NewTopic,
    recovery: Path,
    library: Library,
    plain: bool,  # noqa: FBT001 - a case
) -> None:
    topic = new_topic(PARTITIONS)
    options = ["--library", library, *(["--plain"] if plain else [])]
    rng = random.Random(f"{library} {plain}")  # noqa: S311 - moments of death
    for members in (1, 2, 1):
        runners = start(kafka_bootstrap, topic, recovery, *options, members=members)
        try:
            until_writing(runners)
            time.sleep(rng.uniform(0.05, 0.7))
        finally:
            end(runners)
    (runner,) = start(kafka_bootstrap, topic, recovery, *options)
    try:
        assert runner.wait() == 0
        assert runner.said[-1] == "ended"
    finally:
        end([runner])
    assert_each_once(kafka_bootstrap, topic, "read_uncommitted" if plain else "read_committed")


@pytest.mark.crash
def test_set_that_was_thought_dead_wakes_up_and_changes_nothing(
    kafka_bootstrap: str, new_topic: NewTopic, tmp_path: Path, recovery: Path
) -> None:
    topic = new_topic(PARTITIONS)
    frozen = start(kafka_bootstrap, topic, recovery)
    try:
        until_writing(frozen)
        time.sleep(0.4)
        frozen[0].ask(signal.SIGSTOP)
        # The recovery folder of the frozen one is locked, so its successor has a copy's worth: nothing.
        anew = tmp_path / "anew"
        anew.mkdir()
        init_db_dir(anew, 2)  # type: ignore[no-untyped-call]  # Bytewax's
        (successor,) = start(kafka_bootstrap, topic, anew)
        try:
            until_writing([successor])
            time.sleep(0.3)
            frozen[0].ask(signal.SIGCONT)
            assert frozen[0].wait() != 0
            assert "ended" not in frozen[0].said
            assert successor.wait() == 0
        finally:
            end([successor])
    finally:
        frozen[0].ask(signal.SIGCONT)
        end(frozen)
    assert_each_once(kafka_bootstrap, topic)


def test_events_carry_what_a_consumer_filters_by(kafka_bootstrap: str, new_topic: NewTopic) -> None:
    topic = new_topic(PARTITIONS)
    sink = KafkaEventSink(lambda: connect(KafkaSettings(bootstrap=kafka_bootstrap)), topic, job="fraud")
    given = event("a", 7)
    parts = sink.list_parts()
    assert parts == [f"{topic}-00000{partition}" for partition in range(PARTITIONS)]
    chosen = sink.part_fn(given.model) % PARTITIONS
    with closing(sink.build_part("out", parts[chosen], None)) as partition:
        partition.write_batch([given])
        partition.write_batch([])
    ((key, value, headers),) = values_in(kafka_bootstrap, topic, chosen)
    assert (key, value) == (given.model.encode(), given.body)
    assert headers == {
        "content-type": b"application/cloudevents+json",
        "ce_id": given.id.encode(),
        "ce_type": b"opened",
        "ce_subject": b"a2/1/1h/amount",
        "ce_partitionkey": b"a2",
        "driftflow-job": b"fraud",
    }


def test_refused_rows_keep_their_bytes_and_say_why(kafka_bootstrap: str, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    sink = KafkaRecordSink(lambda: connect(KafkaSettings(bootstrap=kafka_bootstrap)), topic, job="fraud")
    rows: list[DeadLetter | LateRow] = [
        DeadLetter(partition="in/0", number=5, reason=Reason.MALFORMED, detail="not JSON: ü", raw=b"\x00{"),
        LateRow(partition="in/0", number=6, time=1000, raw=b"{}"),
        DeadLetter(partition="in/1", number=5, reason=Reason.TOO_LONG, detail="", raw=b"x" * 2_000_000),
    ]
    (part,) = sink.list_parts()
    for _ in range(2):
        # The second life writes the same rows again.
        with closing(sink.build_part("dead", part, None)) as partition:
            partition.write_batch(rows)
    found = values_in(kafka_bootstrap, topic)
    assert [(key, value) for key, value, _ in found] == [
        (b"in/0", b"\x00{"),
        (b"in/0", b"{}"),
        (b"in/1", b"x" * 900_000),
    ]
    common = {"driftflow-job": b"fraud"}
    assert found[0][2] == common | {
        "driftflow-id": b"in/0:5",
        "driftflow-partition": b"in/0",
        "driftflow-offset": b"5",
        "driftflow-reason": b"malformed",
        "driftflow-detail": "not JSON: ü".encode(),
    }
    assert found[1][2] == common | {
        "driftflow-id": b"in/0:6",
        "driftflow-partition": b"in/0",
        "driftflow-offset": b"6",
        "driftflow-reason": b"late",
        "driftflow-event-time": b"1000",
    }
    assert found[2][2]["driftflow-length"] == b"2000000"
