"""Rows per second from a topic to events and series, with one and two workers, against a bare consumer.

A topic of four partitions holds the `wide` stream, 37 watched columns and about 750 bytes of JSON per row.
In turn it is read to its end by a kafka-python consumer that throws the records away, by one that decodes
each with orjson.loads, by one process of driftflow, and by a supervised set of two: its whole work, to drift
events in a topic, series in Redis and snapshots. Each is a process of its own and is timed from its start to
its end; how long driftflow takes over an empty topic is shown, and not taken off.

The broker and Redis run on the same cores: the wall ratio of two workers to one says how far these suffice.

Needs a Kafka and a Redis: eval "$(scripts/services env)" after scripts/services up.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import confluent_kafka as confluent
import orjson
from kafka import KafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # the library has no types

from bench.live import PARTITIONS, Stage, servers_from_environment
from bench.measure import Timing, say, show
from flows.scenarios.base import ScenarioOptions
from flows.scenarios.lines import json_lines
from flows.scenarios.registry import scenario

SEED = 7
CHUNK_ROWS = 8_192
POLL_RECORDS = 5_000
DATABASE = 4
BARE, DECODED, ONE, TWO, EMPTY = (
    "kafka-python, nothing done",
    "kafka-python and orjson.loads",
    "driftflow, 1 worker",
    "driftflow, 2 workers",
    "driftflow over an empty topic",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill a topic, time every way to read it, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="50,000 rows instead of 1,000,000")
    parser.add_argument("--rows", type=int, help="rows of the stream")
    parser.add_argument("--repeats", type=int, default=1, help="the medians are shown")
    parser.add_argument(
        "--library", choices=("kafka-python", "librdkafka"), default="kafka-python", help="of driftflow"
    )
    parser.add_argument("--consume", nargs=2, metavar=("BOOTSTRAP", "TOPIC"), help=argparse.SUPPRESS)
    parser.add_argument("--decode", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.consume is not None:
        consume(*given.consume, decode=given.decode)
        return
    rows = given.rows or (50_000 if given.quick else 1_000_000)
    with TemporaryDirectory() as folder:
        stage = Stage(
            folder=Path(folder),
            name=f"throughput-{int(time.time())}",
            servers=servers_from_environment(),
            # A row a second: windows of 43,200 and 86,400 rows.
            options=ScenarioOptions(
                rows=rows, seed=SEED, step_ms=1_000, reference_rows=50_000, disorder_ms=90_000
            ),
            scenario=scenario("wide"),
            library=given.library,
        )
        size = fill(stage)
        report(measure(stage, given.repeats), rows, size)


def fill(stage: Stage) -> float:
    """Write the whole stream; return the mean size of a record in bytes."""
    for topic in (stage.name, f"{stage.name}-empty"):
        stage.create_topic(topic, partitions=PARTITIONS)
    producer = confluent.Producer(
        {"bootstrap.servers": stage.servers.bootstrap, "linger.ms": 20, "enable.idempotence": True}
    )
    size = 0
    for start in range(0, stage.options.rows, CHUNK_ROWS):
        count = min(CHUNK_ROWS, stage.options.rows - start)
        for row, line in enumerate(json_lines(stage.scenario, stage.options, start, count), start):
            producer.produce(stage.name, line, partition=row % PARTITIONS)
            size += len(line)
        producer.flush()
    return size / stage.options.rows


def measure(stage: Stage, repeats: int) -> dict[str, Timing]:
    """Time each way in turn, so that a slow minute of the machine hits all of them alike."""
    consumer = [sys.executable, "-m", "bench.kafka_throughput"]
    consumer += ["--consume", stage.servers.bootstrap, stage.name]
    empty = replace(stage, name=f"{stage.name}-empty")
    timings: dict[str, list[Timing]] = {name: [] for name in (BARE, DECODED, ONE, TWO, EMPTY)}
    for repeat in range(repeats):
        timings[BARE].append(_timed(lambda: subprocess.run(consumer, check=True)))  # noqa: S603  # our own
        timings[DECODED].append(_timed(lambda: subprocess.run([*consumer, "--decode"], check=True)))  # noqa: S603  # our own
        timings[ONE].append(_run(stage, f"one-{repeat}"))
        timings[TWO].append(_run(stage, f"two-{repeat}", "--workers", "2"))
        timings[EMPTY].append(_run(empty, f"empty-{repeat}"))
    return {
        name: Timing(cpu_s=median(each.cpu_s for each in found), wall_s=median(each.wall_s for each in found))
        for name, found in timings.items()
    }


def _run(stage: Stage, name: str, *options: str) -> Timing:
    """Time a run to the end that finds nothing of an earlier one."""
    place = stage.place(name, DATABASE)
    timing = _timed(lambda: stage.finish(place, *options))
    stage.forget(place)
    return timing


def consume(bootstrap: str, topic: str, *, decode: bool) -> None:
    """Read a topic to its end, as fast as the library can."""
    with closing(KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)) as consumer:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        left = sum(consumer.end_offsets(partitions).values())
        while left > 0:
            for records in consumer.poll(timeout_ms=1_000, max_records=POLL_RECORDS).values():
                left -= len(records)
                if decode:
                    for record in records:
                        orjson.loads(record.value)


def report(timings: dict[str, Timing], rows: int, size: float) -> None:
    """Print rates as shares of the bare consumer, CPU per row, and what the second worker gives."""
    bare = timings[BARE]
    show(
        f"{rows:,} rows of {size:.0f} bytes through {PARTITIONS} partitions",
        ("", "wall s", "rows/s", "of the bare consumer", "of it with orjson", "CPU µs/row"),
        [
            (
                name,
                f"{timing.wall_s:.1f}",
                "" if name == EMPTY else f"{rows / timing.wall_s:,.0f}",
                "" if name == EMPTY else f"{bare.wall_s / timing.wall_s:.2f}",
                "" if name == EMPTY else f"{timings[DECODED].wall_s / timing.wall_s:.2f}",
                f"{1e6 * timing.cpu_s / rows:.1f}",
            )
            for name, timing in timings.items()
        ],
    )
    one, two = timings[ONE], timings[TWO]
    say(
        f"Two workers against one: {one.wall_s / two.wall_s:.2f} times as fast, {two.cpu_s / one.cpu_s:.2f} "
        "times the CPU per row. The broker shares the cores, and its CPU is not counted."
    )


def _timed(case: Callable[[], object]) -> Timing:
    """Time a case that waits for its processes; CPU is theirs and that of all they waited for."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    case()
    wall_s = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timing(cpu_s=cpu_s, wall_s=wall_s)


if __name__ == "__main__":
    main()
