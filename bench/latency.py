"""Time from the arrival of the row that closes a window until a subscriber holds what driftflow says of it.

A window closes when the watermark has passed its end: when every partition has a row that is later than the
end by the allowed lateness. The clock starts when the broker has acknowledged the last of these rows, one per
partition, and stops when a consumer of committed records holds the report of the window, or a drift event of
it. Before that the set has read all other rows of the window, so that no backlog is part of the figure.

Needs a Kafka and a Redis: eval "$(scripts/services env)" after scripts/services up.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import orjson
from kafka import KafkaConsumer, KafkaProducer  # type: ignore[import-untyped]  # the library has no types

from bench.live import PARTITIONS, Stage, servers_from_environment, stop, until_caught_up
from bench.measure import say, show
from flows.scenarios.base import START_MS, ScenarioOptions
from flows.scenarios.lines import iso_times, json_lines
from state.events import EventType
from tests.integration.processes import free_ports

SEED = 17
STEP_MS = 5_000
WINDOW_MS = 3_600_000
LATENESS_MS = 120_000
"""As in the configuration of `bench.live`."""
ROWS = WINDOW_MS // STEP_MS
PATIENCE_S = 60.0
PAUSE_S = 0.5
"""After the rows of a window, so that the last of them is through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One event at the subscriber: its type, and seconds since the closing row was acknowledged."""

    type: str
    after_s: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Close windows one by one; print how long each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 windows instead of 100")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--library", choices=("kafka-python", "librdkafka"), default="kafka-python")
    given = parser.parse_args(arguments)
    windows = 10 if given.quick else 100
    with TemporaryDirectory() as folder:
        stage = Stage(
            folder=Path(folder),
            name=f"latency-{int(time.time())}",
            servers=servers_from_environment(),
            options=ScenarioOptions(
                rows=windows * ROWS, seed=SEED, step_ms=STEP_MS, reference_rows=20_000, disorder_ms=0
            ),
            windows="{hour: {size: 1h}}",
            library=given.library,
        )
        report(measure(stage, windows, workers=given.workers), given.workers)


def measure(stage: Stage, windows: int, *, workers: int) -> list[Arrived]:
    """Feed a set window by window, and wait for each."""
    stage.create_topic(stage.name, partitions=PARTITIONS)
    place = stage.place("latency", 5)
    (port,) = free_ports(1)
    supervisor = stage.start(place, "--workers", str(workers), "--metrics-port", str(port))
    consumer = KafkaConsumer(
        place.topic,
        bootstrap_servers=stage.servers.bootstrap,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    found: list[Arrived] = []
    with (
        closing(consumer),
        closing(KafkaProducer(bootstrap_servers=stage.servers.bootstrap, linger_ms=5)) as producer,
    ):
        for window in range(windows):
            lines = json_lines(stage.scenario, stage.options, window * ROWS, ROWS)
            for row, line in enumerate(lines):
                producer.send(stage.name, line, partition=row % PARTITIONS)
            producer.flush()
            until_caught_up(port, PARTITIONS, patience_s=PATIENCE_S)
            time.sleep(PAUSE_S)
            end_ms = START_MS + (window + 1) * WINDOW_MS
            closing_row = {**orjson.loads(lines[-1]), "ts": iso_times(np.array([end_ms + LATENESS_MS]))[0]}
            sent = [
                producer.send(stage.name, orjson.dumps(closing_row), partition=partition)
                for partition in range(PARTITIONS)
            ]
            for each in sent:
                each.get(PATIENCE_S)
            found += _await_report(consumer, time.monotonic())
    stop(supervisor)
    stage.forget(place)
    return found


def _await_report(consumer: KafkaConsumer, began_s: float) -> list[Arrived]:
    """Take events until the report of a window is among them."""
    found: list[Arrived] = []
    while not any(arrived.type == EventType.REPORT for arrived in found):
        polled = consumer.poll(timeout_ms=1_000)
        after_s = time.monotonic() - began_s
        found += [
            Arrived(type=dict(record.headers)["ce_type"].decode(), after_s=after_s)
            for records in polled.values()
            for record in records
        ]
        if after_s > PATIENCE_S:
            raise SystemExit(f"no report of the window within {PATIENCE_S:.0f} s")
    return found


def report(found: Sequence[Arrived], workers: int) -> None:
    """Print the spread for each type of event."""
    by_type = defaultdict[str, list[float]](list)
    for arrived in found:
        by_type[arrived.type].append(1_000 * arrived.after_s)
    show(
        f"From the closing row's acknowledgement to a read_committed subscriber, {workers} workers, ms",
        ("event", "number", "median", "95 %", "most"),
        [
            (
                name,
                str(len(times)),
                f"{np.median(times):.0f}",
                f"{np.quantile(times, 0.95):.0f}",
                f"{max(times):.0f}",
            )
            for name, times in sorted(by_type.items())
        ],
    )
    say("Kafka, Redis, the producer and the subscriber share the cores with the set.")


if __name__ == "__main__":
    main()
