"""The services that tests stand on do their work, keep their data and end nobody else's process."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

# kafka-python carries no type information.
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition  # type: ignore[import-untyped]
from kafka.errors import KafkaError  # type: ignore[import-untyped]
from kafka.structs import OffsetAndMetadata  # type: ignore[import-untyped]
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from scripts.local_services.packages import fresh_folder
from scripts.local_services.places import free_ports, is_free
from scripts.local_services.processes import Record, birth_of, end, is_running
from scripts.local_services.stack import Stack
from tests.integration.services import (
    KAFKA,
    REDIS,
    ROOT,
    NewTopic,
    OwnStack,
    ServicesFailedError,
    services,
)

PATIENCE_S = 30.0
Samples = list[tuple[int, float]]


def _read(bootstrap: str, topic: str, count: int, *, isolation: str = "read_uncommitted") -> list[bytes]:
    """First `count` values of partition 0, and what else came with them."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level=isolation, group_id=None
    )
    with closing(consumer):
        consumer.assign([TopicPartition(topic, 0)])
        values: list[bytes] = []
        deadline = time.monotonic() + PATIENCE_S
        while len(values) < count and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=200).values():
                values += [record.value for record in records]
        return values


@contextmanager
def _producer(bootstrap: str, transactional_id: str | None = None) -> Iterator[KafkaProducer]:
    producer = KafkaProducer(bootstrap_servers=bootstrap, transactional_id=transactional_id)
    with closing(producer):
        yield producer


def _client(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=PATIENCE_S)


def _range(client: Redis, key: str) -> Samples:
    answer = client.ts().range(key, "-", "+")
    return [(int(time_ms), float(value)) for time_ms, value in answer]


def test_a_broker_keeps_the_order_of_a_partition(kafka_bootstrap: str, new_topic: NewTopic) -> None:
    topic = new_topic(2)
    sent = [f"event {i}".encode() for i in range(500)]
    with _producer(kafka_bootstrap) as producer:
        acknowledged = [producer.send(topic, value, partition=0) for value in sent]
        producer.send(topic, b"elsewhere", partition=1)
        producer.flush()
        offsets = [future.get(timeout=PATIENCE_S).offset for future in acknowledged]
    assert offsets == list(range(500))
    assert _read(kafka_bootstrap, topic, len(sent)) == sent


def test_records_of_long_ago_are_kept(kafka_bootstrap: str, new_topic: NewTopic) -> None:
    topic = new_topic(1)
    with _producer(kafka_bootstrap) as producer:
        # 2001-09-09, far beyond the broker's retention of seven days.
        producer.send(topic, b"old", timestamp_ms=1_000_000_000_000).get(timeout=PATIENCE_S)
    assert _read(kafka_bootstrap, topic, 1) == [b"old"]


def test_only_committed_transactions_are_read(kafka_bootstrap: str, new_topic: NewTopic) -> None:
    source, target = new_topic(1), new_topic(1)
    group, partition = f"{source}-group", TopicPartition(source, 0)
    with _producer(kafka_bootstrap, transactional_id=f"{source}-writer") as producer:
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(target, b"aborted")
        producer.flush()
        producer.abort_transaction()
        producer.begin_transaction()
        producer.send(target, b"committed")
        producer.send_offsets_to_transaction({partition: OffsetAndMetadata(7, "", -1)}, group)
        producer.commit_transaction()
    assert _read(kafka_bootstrap, target, 1, isolation="read_committed") == [b"committed"]
    # What was aborted is in the log all the same, for those who do not ask for committed records.
    assert _read(kafka_bootstrap, target, 2) == [b"aborted", b"committed"]
    with closing(KafkaConsumer(bootstrap_servers=kafka_bootstrap, group_id=group)) as consumer:
        assert consumer.committed(partition) == 7


def test_redis_keeps_time_series(redis_url: str, redis_prefix: str) -> None:
    first, second = f"{redis_prefix}first", f"{redis_prefix}second"
    with _client(redis_url) as client:
        series = client.ts()
        assert series.add(first, 1_000, 0.25, labels={"feature": "age"}) == 1_000
        series.create(second)
        assert series.madd([(first, 2_000, 0.5), (second, 1_000, 4.0)]) == [2_000, 1_000]
        # A replay writes the same instant again and must replace the sample, not fail and not add one.
        series.add(first, 2_000, 0.75, on_duplicate="last")
        assert _range(client, first) == [(1_000, 0.25), (2_000, 0.75)]
        assert _range(client, second) == [(1_000, 4.0)]


def test_an_outage_of_redis_loses_nothing(own_stack: OwnStack) -> None:
    url = own_stack.start(REDIS)
    with _client(url) as client:
        client.ts().add("series", 1_000, 0.25)
        own_stack.stop(REDIS)
        with pytest.raises(RedisConnectionError):
            client.ping()
        assert own_stack.start(REDIS) == url
        assert _range(client, "series") == [(1_000, 0.25)]


def test_an_outage_of_kafka_loses_nothing(own_stack: OwnStack) -> None:
    bootstrap = own_stack.start(KAFKA)
    hasty = KafkaProducer(bootstrap_servers=bootstrap, max_block_ms=1_000)
    # A topic that nobody created is a mistake, not a wish.
    with closing(hasty), pytest.raises(KafkaError):
        hasty.send("misspelt", b"lost").get(timeout=PATIENCE_S)
    topic = _create(bootstrap)
    with _producer(bootstrap) as producer:
        producer.send(topic, b"before").get(timeout=PATIENCE_S)
    own_stack.stop(KAFKA)
    assert is_free(int(bootstrap.rpartition(":")[2]))
    assert own_stack.start(KAFKA) == bootstrap
    with _producer(bootstrap) as producer:
        producer.send(topic, b"after").get(timeout=PATIENCE_S)
    assert _read(bootstrap, topic, 2) == [b"before", b"after"]


def _create(bootstrap: str) -> str:
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.create_topics({"kept": {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    return "kept"


def test_servers_listen_on_loopback_only(own_stack: OwnStack) -> None:
    port = int(own_stack.start(REDIS).rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=2.0):
        pass
    # A server bound to every address would answer on this one, which is another of the same interface.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=2.0)


def test_two_calls_at_once_start_one_server(own_stack: OwnStack) -> None:
    own_stack.start(REDIS)
    own_stack.stop(REDIS)
    command = [sys.executable, "-m", "scripts.local_services", "--name", own_stack.name, "start", "redis"]
    both = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate(timeout=PATIENCE_S)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0]
    (first, second) = (re.findall(r"process (\d+)", text) for text in said)
    assert first == second
    assert len(first) == 1


def test_a_call_that_fails_says_why(own_stack: OwnStack) -> None:
    with pytest.raises(
        ServicesFailedError, match="redis was not started here: run scripts/services start redis"
    ):
        services("stop", "redis", stack=f"{own_stack.name}-other")
    with pytest.raises(ServicesFailedError, match="service 'rabbit': want kafka or redis"):
        services("start", "rabbit", stack=own_stack.name)


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch, own_stack: OwnStack) -> None:
    name = f"{own_stack.name}-given"
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "one.example:9092,two.example:9092")
    monkeypatch.setenv("REDIS_URL", "redis://:it's@one.example/0")
    services("up", stack=name)
    # Addresses reach the shell as they are, whatever they hold.
    exports = services("env", stack=name)
    shown = subprocess.run(
        ["/bin/sh", "-c", f'{exports}\necho "$KAFKA_BOOTSTRAP_SERVERS $REDIS_URL"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "one.example:9092,two.example:9092 redis://:it's@one.example/0\n"
    assert not Stack(name=name).folder.exists()


def test_only_the_recorded_process_is_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        birth = birth_of(process.pid)
        assert birth is not None
        # The same process id, given to another program since.
        end(Record(pid=process.pid, birth=f"{birth}0", ports=[]))
        assert process.poll() is None
        end(Record(pid=process.pid, birth=birth, ports=[]))
        # Not yet waited for, its entry is still there; a server in a container can stay like this for ever.
        assert not is_running(Record(pid=process.pid, birth=birth, ports=[]))
        assert process.wait(PATIENCE_S) == -signal.SIGTERM


def _fetch_half(folder: Path | None) -> None:
    assert folder is not None
    (folder / "half").touch()
    (folder / "other half").read_bytes()


def test_a_download_cut_short_is_made_again(tmp_path: Path) -> None:
    target = tmp_path / "downloaded"
    with pytest.raises(FileNotFoundError), fresh_folder(target) as folder:
        _fetch_half(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["downloaded.lock"]
    with fresh_folder(target) as folder:
        assert folder is not None
        (folder / "whole").touch()
    assert [path.name for path in target.iterdir()] == ["whole"]
    with fresh_folder(target) as folder:
        assert folder is None


def test_ports_are_different_and_out_of_reach_of_outgoing_connections() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    # IANA's dynamic range begins at 49152 (RFC 6335, section 6), that of Linux at 32768.
    assert max(ports) < 32_768
    with socket.create_server(("127.0.0.1", ports[0])):
        assert not is_free(ports[0])


@pytest.mark.parametrize(
    ("value", "outcome", "times"), [("true", "3 errors", 6), ("", "3 skipped", 1), ("false", "3 skipped", 1)]
)
def test_missing_services_fail_in_ci_and_skip_elsewhere(
    tmp_path: Path, value: str, outcome: str, times: int
) -> None:
    needy = tmp_path / "test_needy.py"
    needy.write_text("".join(f"def test_{i}(kafka_bootstrap):\n    pass\n" for i in range(3)))
    # A machine without Java and without a package client to install it.
    hidden = {KAFKA.variable, "JAVA_HOME"}
    environment = {name: text for name, text in os.environ.items() if name not in hidden}
    environment |= {"PATH": str(tmp_path), "DRIFTFLOW_CACHE": str(tmp_path / "cache"), "CI": value}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.integration.services", "-c", os.devnull]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", str(needy)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in done.stdout
    # Failures are shown in full and in the summary; who skips is told once, however many tests there are.
    assert len(re.findall(r"NO KAFKA.*install Java 17.*no program java", done.stdout)) == times
