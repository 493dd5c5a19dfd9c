"""Runs of driftflow over a real Kafka and a real Redis, for the benches that hurt or watch them."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from kafka import KafkaConsumer, KafkaProducer  # type: ignore[import-untyped]  # the library has no types
from redis import Redis

from flows.kafka.base import KafkaSettings
from flows.kafka.connect import connect
from flows.scenarios.base import Scenario, ScenarioOptions
from flows.scenarios.lines import json_lines, json_reference
from flows.scenarios.registry import scenario
from state.stores.redis import RedisStore

PARTITIONS = 4
CHUNK_ROWS = 500
PATIENCE_S = 90.0
_KEPT = {"retention.ms": "-1"}
"""Records of a scenario carry times of their own; with a retention the broker would soon delete them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where Kafka and Redis are; the URL of the Redis has no database."""

    bootstrap: str
    redis: str


def servers_from_environment() -> Servers:
    """Read what `scripts/services env` exports."""
    if missing := [name for name in ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL") if name not in os.environ]:
        raise SystemExit(
            f'{" and ".join(missing)} not set: scripts/services up; eval "$(scripts/services env)"'
        )
    return Servers(
        bootstrap=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        redis=re.sub(r"(?<=[^/])/[0-9]*$", "", os.environ["REDIS_URL"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One run: its folder, its topic for events, and its Redis."""

    folder: Path
    config: Path
    topic: str
    redis: str

    @property
    def recovery(self) -> Path:
        """The recovery folder."""
        return self.folder / "recovery"


@dataclass(slots=True)
class Producing:
    """Rows that are being written: how many by now, whether that is all, and how to say that it is enough."""

    rows: int = 0
    enough: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stream in a topic, and runs that read it.

    Attributes
    ----------
    name
        Of the topic and the model; new for each bench, so that nothing of an earlier one is found.
    windows
        As the configuration writes them.
    library
        Kafka's, for what driftflow reads and writes.
    """

    folder: Path
    name: str
    servers: Servers
    options: ScenarioOptions
    windows: str = "{daily: {size: 1d}, sliding: {size: 12h, slide: 3h}}"
    library: str = "kafka-python"
    scenario: Scenario = field(default_factory=partial(scenario, "demo"))

    @property
    def log(self) -> Path:
        """What all runs say."""
        return self.folder / "driftflow.log"

    def create_topic(self, topic: str, *, partitions: int) -> None:
        """Make a topic that keeps everything."""
        with closing(connect(KafkaSettings(bootstrap=self.servers.bootstrap))) as client:
            client.create_topic(topic, partitions=partitions, config=_KEPT)

    def place(self, name: str, database: int) -> Place:
        """Make a folder, an output topic and a reference for a run that goes on until it is stopped."""
        folder = self.folder / name
        folder.mkdir()
        place = Place(
            folder=folder,
            config=folder / "driftflow.yaml",
            topic=f"{self.name}-{name}",
            redis=f"{self.servers.redis}/{database}",
        )
        self.create_topic(place.topic, partitions=2)
        self.configure(place, until_end=False)
        path = folder / "reference.jsonl"
        lines = json_reference(self.scenario, self.options, 0, self.options.reference_rows)
        path.write_bytes(b"\n".join(lines) + b"\n")
        self.driftflow("reference", "build", str(place.config), str(path)).wait()
        return place

    def configure(self, place: Place, *, until_end: bool) -> None:
        """Write the configuration: a run that ends with the input, or one that waits for more."""
        columns = "\n".join(
            f"  {column.name}: {{kind: {column.kind}, role: {column.role}, path: {column.path}}}"
            for column in self.scenario.columns
        )
        place.config.write_text(f"""
model: {{name: {self.name}}}
kafka: {{bootstrap: "{self.servers.bootstrap}", library: {self.library}}}
input: {{topics: [{self.name}], until_end: {str(until_end).lower()}}}
time: {{column: ts, lateness: 2m, idle_timeout: null}}
windows: {self.windows}
output: {{store: "{place.redis}", topics: {{events: {place.topic}}}}}
recovery: {{folder: recovery, interval: 1s}}
columns:
{columns}
""")

    @contextmanager
    def producing(self, seconds: float) -> Iterator["Producing"]:
        """Write all rows of the stream at an even pace, meanwhile; the end waits for the last of them."""
        producing = Producing()
        thread = threading.Thread(target=self._produce, args=(seconds, producing), daemon=True)
        thread.start()
        yield producing
        thread.join()

    def _produce(self, seconds: float, producing: "Producing") -> None:
        # A broker that is away for minutes is waited for, and what was sent meanwhile is kept.
        producer = KafkaProducer(
            bootstrap_servers=self.servers.bootstrap,
            linger_ms=20,
            # Or what is measured is how long the producer takes to notice that the broker is back.
            reconnect_backoff_max_ms=1_000,
            max_block_ms=600_000,
            delivery_timeout_ms=600_000,
        )
        began, rows = time.monotonic(), self.options.rows
        for start in range(0, rows, CHUNK_ROWS):
            size = min(CHUNK_ROWS, rows - start)
            for row, line in enumerate(json_lines(self.scenario, self.options, start, size), start):
                producer.send(self.name, line, partition=row % PARTITIONS)
            producing.rows = start + size
            due = began + seconds * producing.rows / rows
            if producing.enough.wait(max(0.0, due - time.monotonic())):
                break
        producer.flush()
        producer.close()
        producing.done.set()

    def start(self, place: Place, *options: str) -> subprocess.Popen[bytes]:
        """Start a run."""
        return self.driftflow("run", str(place.config), *options)

    def finish(self, place: Place, *options: str) -> None:
        """Run to the end of the input."""
        self.configure(place, until_end=True)
        code = self.start(place, *options).wait()
        if code:
            raise SystemExit(
                f"the last run of {place.folder.name} ended with {code}:\n{self.log.read_text()[-3000:]}"
            )

    def driftflow(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command of driftflow."""
        with self.log.open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", "flows.cli", *words], stdout=log, stderr=log)  # noqa: S603  # our own

    def events(self, topic: str) -> list[bytes]:
        """Return what a consumer of committed records finds in a topic."""
        with closing(
            KafkaConsumer(
                topic,
                bootstrap_servers=self.servers.bootstrap,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                consumer_timeout_ms=5_000,
            )
        ) as consumer:
            return [record.value for record in consumer]

    def series(self, place: Place) -> dict[str, list[tuple[int, float]]]:
        """Return all series of a run."""
        with closing(RedisStore(place.redis)) as store:
            return {str(key): store.series(key) for key in store.series_keys(self.name)}

    def forget(self, *places: Place) -> None:
        """Remove what the runs left in Redis."""
        for place in places:
            with Redis.from_url(place.redis) as client:
                for key in client.scan_iter(match=f"*{self.name}*"):
                    client.delete(key)


def stop(supervisor: subprocess.Popen[bytes]) -> None:
    """Ask a supervisor to stop, and wait until it has."""
    supervisor.send_signal(signal.SIGTERM)
    supervisor.wait(PATIENCE_S)


def members(supervisor: int) -> list[int]:
    """Processes that a supervisor started."""
    found = subprocess.run(  # noqa: S603  # our own words
        ["/usr/bin/env", "ps", "--no-headers", "-o", "pid", "--ppid", str(supervisor)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(word) for word in found.stdout.split()]


def resident_bytes(process_id: int) -> int:
    """Memory that a process holds now; 0 where it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


def folder_bytes(folder: Path) -> int:
    """Size of all files in a folder, which others may change meanwhile."""
    size = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            size += path.stat().st_size if path.is_file() else 0
    return size


def metric(name: str, first_port: int) -> list[float]:
    """Values of a metric over all members, whose ports follow each other."""
    values: list[float] = []
    for port in count(first_port):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2.0) as answer:
                text = answer.read().decode()
        except OSError:
            return values
        values += [float(line.split()[-1]) for line in text.splitlines() if re.match(rf"{name}[ {{]", line)]
    return values


def until_caught_up(port: int, partitions: int, *, patience_s: float) -> float:
    """Wait until no partition has records that are not read; the seconds it took."""
    began = time.monotonic()
    while time.monotonic() < began + patience_s:
        lags = metric("driftflow_lag", port)
        if len(lags) == partitions and not any(lags):
            return time.monotonic() - began
        time.sleep(0.2)
    raise SystemExit(f"records are still not read after {patience_s:.0f} s")


def text_of(values: Sequence[bytes]) -> str:
    """Say how many there are and how many of them twice."""
    twice = len(values) - len(set(values))
    return f"{len(values):,}" + (f", {twice} of them TWICE" if twice else ", none twice")
