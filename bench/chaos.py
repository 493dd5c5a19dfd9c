"""Kills workers at random moments while they read Kafka, and compares what comes out with a quiet run.

A producer writes the demo stream to a topic at an even pace. A supervised set reads it, and is hurt: members
are killed with -9, the supervisor too, and the number of workers changes from 1 to 3 to 2. At the end all is
held against one undisturbed process over the same topic: drift events in their order, and every series.

Needs a Kafka and a Redis: eval "$(scripts/services env)" after scripts/services up.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from kafka import KafkaConsumer, KafkaProducer  # type: ignore[import-untyped]  # the library has no types

from bench.measure import say, show
from flows.kafka.base import KafkaSettings
from flows.kafka.connect import connect
from flows.scenarios.base import ScenarioOptions
from flows.scenarios.lines import json_lines, json_reference
from flows.scenarios.registry import scenario
from state.stores.redis import RedisStore

PARTITIONS = 4
SEED = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One run: its folder, its topic for events, and its Redis."""

    folder: Path
    config: Path
    topic: str
    redis: str


def main() -> None:
    """Run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one minute and 4 kills instead of ten and 20")
    given = parser.parse_args()
    minutes, kills, rows = (1.0, 4, 30_000) if given.quick else (10.0, 20, 200_000)
    with TemporaryDirectory() as folder:
        chaos = Chaos(Path(folder), rows=rows, minutes=minutes, kills=kills)
        chaos.run()


class Chaos:
    """The stream, the two runs over it, and the blows."""

    def __init__(self, folder: Path, *, rows: int, minutes: float, kills: int) -> None:
        self._bootstrap = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
        self._redis = os.environ["REDIS_URL"].rsplit("/", 1)[0]
        self._folder = folder
        self._minutes = minutes
        self._kills = kills
        self._rng = Random(SEED)  # noqa: S311  # when to strike is no secret
        self._options = ScenarioOptions(rows=rows, seed=SEED, reference_rows=20_000, disorder_ms=90_000)
        self._stamp = f"chaos-{int(time.time())}"
        self._log = (folder / "chaos.log").open("wb")

    def run(self) -> None:
        """Hurt one run, leave the other alone, compare."""
        client = connect(KafkaSettings(bootstrap=self._bootstrap))
        hurt, quiet = self._place("hurt", 1), self._place("quiet", 2)
        keep = {"retention.ms": "-1"}
        client.create_topic(self._stamp, partitions=PARTITIONS, config=keep)
        for place in (hurt, quiet):
            client.create_topic(place.topic, partitions=2, config=keep)
            self._build_reference(place)
        producer = threading.Thread(target=self._produce, daemon=True)
        producer.start()
        struck = self._hurt(hurt)
        producer.join()
        began = time.monotonic()
        self._finish(hurt, ["--workers", "2"])
        self._finish(quiet, [])
        self._compare(hurt, quiet, struck, time.monotonic() - began)
        client.close()

    def _hurt(self, place: Place) -> Counter[str]:
        struck = Counter[str]()
        end = time.monotonic() + self._minutes * 60
        pause = self._minutes * 60 / (self._kills + 3)
        workers: Iterator[int] = iter((1, 3, 2))
        supervisor = self._start(place, next(workers))
        for blow in range(self._kills):
            time.sleep(self._rng.uniform(0.5, 1.5) * pause)
            if blow in (self._kills // 3, 2 * self._kills // 3):
                supervisor.send_signal(signal.SIGTERM)
                supervisor.wait(60)
                supervisor = self._start(place, next(workers))
                struck["rescaled"] += 1
                time.sleep(2)
            victims = _members(supervisor.pid)
            if self._rng.random() < 0.2 or not victims:
                supervisor.kill()
                supervisor.wait()
                supervisor = self._start(place, 3)
                struck["supervisor killed"] += 1
            else:
                os.kill(self._rng.choice(victims), signal.SIGKILL)
                struck["member killed"] += 1
        time.sleep(max(0.0, end - time.monotonic()))
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(60)
        return struck

    def _place(self, name: str, database: int) -> Place:
        folder = self._folder / name
        folder.mkdir()
        place = Place(
            folder=folder,
            config=folder / "driftflow.yaml",
            topic=f"{self._stamp}-{name}",
            redis=f"{self._redis}/{database}",
        )
        place.config.write_text(self._config(place, until_end=False))
        return place

    def _config(self, place: Place, *, until_end: bool) -> str:
        columns = "\n".join(
            f"  {column.name}: {{kind: {column.kind}, role: {column.role}, path: {column.path}}}"
            for column in scenario("demo").columns
        )
        return f"""
model: {{name: demo}}
kafka: {{bootstrap: "{self._bootstrap}"}}
input: {{topics: [{self._stamp}], until_end: {str(until_end).lower()}}}
time: {{column: ts, lateness: 2m, idle_timeout: null}}
windows: {{daily: {{size: 1d}}, sliding: {{size: 12h, slide: 3h}}}}
output: {{store: "{place.redis}", topics: {{events: {place.topic}}}}}
recovery: {{folder: recovery, interval: 1s}}
columns:
{columns}
"""

    def _build_reference(self, place: Place) -> None:
        lines = json_reference(scenario("demo"), self._options, 0, self._options.reference_rows)
        path = place.folder / "reference.jsonl"
        path.write_bytes(b"\n".join(lines) + b"\n")
        self._driftflow(["reference", "build", str(place.config), str(path)]).wait()

    def _produce(self) -> None:
        producer = KafkaProducer(bootstrap_servers=self._bootstrap, linger_ms=20)
        began, rows = time.monotonic(), self._options.rows
        for start in range(0, rows, 500):
            for row, line in enumerate(json_lines(scenario("demo"), self._options, start, 500), start):
                producer.send(self._stamp, line, partition=row % PARTITIONS)
            due = began + self._minutes * 60 * 0.97 * (start + 500) / rows
            time.sleep(max(0.0, due - time.monotonic()))
        producer.flush()

    def _start(self, place: Place, workers: int) -> subprocess.Popen[bytes]:
        return self._driftflow(["run", str(place.config), "--workers", str(workers)])

    def _finish(self, place: Place, options: Sequence[str]) -> None:
        place.config.write_text(self._config(place, until_end=True))
        code = self._driftflow(["run", str(place.config), *options]).wait()
        if code:
            raise SystemExit(f"the last run of {place.folder.name} ended with {code}; see {self._log.name}")

    def _driftflow(self, words: Sequence[str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "flows.cli", *words]
        return subprocess.Popen(command, stdout=self._log, stderr=self._log, env=os.environ)  # noqa: S603

    def _events(self, topic: str) -> list[bytes]:
        consumer = KafkaConsumer(
            topic,
            bootstrap_servers=self._bootstrap,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            consumer_timeout_ms=5_000,
        )
        found = [record.value for record in consumer]
        consumer.close()
        return found

    def _compare(self, hurt: Place, quiet: Place, struck: Counter[str], seconds: float) -> None:
        found, wanted = self._events(hurt.topic), self._events(quiet.topic)
        series = [_series(place.redis) for place in (hurt, quiet)]
        points = sum(len(values) for values in series[1].values())
        duplicates = len(found) - len(set(found))
        rows = [
            ("rows written", f"{self._options.rows:,} in {self._minutes:g} min"),
            *((what, str(count)) for what, count in sorted(struck.items())),
            ("drift events of the quiet run", str(len(wanted))),
            ("drift events of the hurt run", str(len(found))),
            ("seen twice by a read_committed consumer", str(duplicates)),
            ("same events, same order", str(found == wanted)),
            ("points in series", f"{points:,} in {len(series[1]):,} series"),
            ("same series, bit for bit", str(series[0] == series[1])),
            ("last two runs to the end", f"{seconds:.0f} s"),
        ]
        show("Kill -9 and rescaling against one undisturbed process", ("what", "figure"), rows)
        if found != wanted or series[0] != series[1]:
            say(f"NOT the same; the log is {self._log.name}")
            raise SystemExit(1)


def _members(supervisor: int) -> list[int]:
    """Processes that a supervisor started."""
    found = subprocess.run(  # noqa: S603
        ["/usr/bin/env", "ps", "--no-headers", "-o", "pid", "--ppid", str(supervisor)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(word) for word in found.stdout.split()]


def _series(url: str) -> dict[str, list[tuple[int, float]]]:
    store = RedisStore(url, retention_ms=None)
    try:
        return {str(key): store.series(key) for key in store.series_keys("demo")}
    finally:
        store.close()


if __name__ == "__main__":
    main()
