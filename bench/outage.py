"""Takes Kafka and Redis away while a set works, and compares what comes out with a run that nobody disturbed.

A producer writes the demo stream to a topic at an even pace, through every outage. A supervised set of two
workers reads it and writes drift events to a topic and series to Redis. In turn the broker is stopped, Redis
is stopped, made a read-only replica, given no memory, and paused. Shown for each: how often the set was
started again, how soon it went on by itself, and the most memory of any member. At the end drift events and
series are held against those of one process over the same topic.

Starts a Kafka and a Redis of its own, which it may stop.
"""

import argparse
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis

from bench.live import (
    PARTITIONS,
    Place,
    Producing,
    Servers,
    Stage,
    members,
    metric,
    resident_bytes,
    stop,
    text_of,
    until_caught_up,
)
from bench.measure import say, show
from flows.scenarios.base import ScenarioOptions
from tests.integration.processes import free_ports
from tests.integration.services import services

STACK = "bench-outage"
MIB = 1 << 20
ROWS_PER_S = 300
LOOK_S = 0.5
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One way in which a service fails: how it begins, how it ends, and for how long it lasts."""

    name: str
    seconds: float
    begin: Callable[[], object]
    end: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What became of a set: while a trouble lasted, and after it."""

    trouble: str
    seconds: float
    restarts: int
    resumed_s: float | None
    peak: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="outages of 10 s instead of 60")
    given = parser.parse_args(arguments)
    services("start", stack=STACK)
    try:
        with TemporaryDirectory() as folder:
            Outages(Path(folder), quick=given.quick).run()
    finally:
        services("down", stack=STACK)


class Outages:
    """The two runs over a stream, and what happens to their services."""

    def __init__(self, folder: Path, *, quick: bool) -> None:
        exported = dict(word.split("=", 1) for word in services("env", stack=STACK).split()[1:])
        self._redis = exported["REDIS_URL"]
        long_s, short_s = (10.0, 5.0) if quick else (60.0, 20.0)
        self._rest_s = 6.0 if quick else 20.0
        self._troubles = self._all_troubles(long_s, short_s)
        # How long services take to come back is not known beforehand; what is too much is not written.
        self._seconds = 3 * sum(each.seconds + self._rest_s for each in self._troubles)
        self._stage = Stage(
            folder=folder,
            name=f"outage-{int(time.time())}",
            servers=Servers(
                bootstrap=exported["KAFKA_BOOTSTRAP_SERVERS"], redis=self._redis.rsplit("/", 1)[0]
            ),
            options=ScenarioOptions(
                rows=int(ROWS_PER_S * self._seconds), seed=13, reference_rows=20_000, disorder_ms=90_000
            ),
        )
        (self._port,) = free_ports(1)

    def run(self) -> None:
        """Disturb one run, leave the other alone, compare."""
        stage = self._stage
        stage.create_topic(stage.name, partitions=PARTITIONS)
        hurt, quiet = stage.place("hurt", 1), stage.place("quiet", 2)
        supervisor = stage.start(hurt, "--workers", "2", "--metrics-port", str(self._port))
        with stage.producing(self._seconds) as producer:
            self._until_moving(before=0.0)
            seen = [self._suffer(trouble, supervisor, producer) for trouble in self._troubles]
            producer.enough.set()
        caught_up_s = until_caught_up(self._port, PARTITIONS, patience_s=PATIENCE_S)
        stop(supervisor)
        stage.finish(hurt, "--workers", "2")
        stage.finish(quiet)
        self._show(seen)
        self._compare(
            hurt,
            quiet,
            [
                ("rows written, through all outages", f"{producer.rows:,}"),
                ("caught up after the last row", f"{caught_up_s:.1f} s"),
            ],
        )

    def _all_troubles(self, long_s: float, short_s: float) -> list[Trouble]:
        def ask(*words: str | int) -> None:
            with closing(Redis.from_url(self._redis)) as client:
                client.execute_command(*words)  # type: ignore[no-untyped-call]  # theirs

        starting = {name: partial(services, "start", name, stack=STACK) for name in ("kafka", "redis")}
        stopping = {name: partial(services, "stop", name, stack=STACK) for name in ("kafka", "redis")}
        return [
            Trouble(name="none", seconds=short_s, begin=lambda: None, end=lambda: None),
            Trouble(name="broker stopped", seconds=long_s, begin=stopping["kafka"], end=starting["kafka"]),
            Trouble(name="Redis stopped", seconds=long_s, begin=stopping["redis"], end=starting["redis"]),
            Trouble(
                name="Redis read-only",
                seconds=short_s,
                # A replica of a primary that is not there keeps its data and refuses writes.
                begin=partial(ask, "REPLICAOF", "127.0.0.1", 1),
                end=partial(ask, "REPLICAOF", "NO", "ONE"),
            ),
            Trouble(
                name="Redis full",
                seconds=short_s,
                begin=partial(ask, "CONFIG", "SET", "maxmemory", 1),
                end=partial(ask, "CONFIG", "SET", "maxmemory", 0),
            ),
            Trouble(
                name="Redis does not answer",
                seconds=short_s,
                begin=partial(ask, "CLIENT", "PAUSE", int(short_s * 1000), "ALL"),
                end=lambda: None,
            ),
        ]

    def _suffer(self, trouble: Trouble, supervisor: subprocess.Popen[bytes], producer: Producing) -> Seen:
        time.sleep(self._rest_s)
        if producer.done.is_set():
            raise SystemExit(f"the stream ended before {trouble.name!r}: this machine is too slow for it")
        restarts = self._restarts()
        with _watching(supervisor.pid) as peaks:
            trouble.begin()
            time.sleep(trouble.seconds)
            trouble.end()
            resumed_s = self._until_moving(before=sum(metric("driftflow_events_total", self._port)))
            time.sleep(LOOK_S)
        return Seen(
            trouble=trouble.name,
            seconds=trouble.seconds,
            restarts=self._restarts() - restarts,
            resumed_s=resumed_s,
            peak=max(peaks),
        )

    def _until_moving(self, *, before: float) -> float:
        """Wait until rows are counted again; the seconds it took."""
        began = time.monotonic()
        while time.monotonic() < began + PATIENCE_S:
            if sum(metric("driftflow_events_total", self._port)) not in (0.0, before):
                return time.monotonic() - began
            time.sleep(0.1)
        raise SystemExit(f"no row was read within {PATIENCE_S:.0f} s:\n{self._stage.log.read_text()[-3000:]}")

    def _restarts(self) -> int:
        return self._stage.log.read_text().count("(restart ")

    def _show(self, seen: Sequence[Seen]) -> None:
        show(
            f"A set of 2 workers at {ROWS_PER_S} rows/s while a service is away",
            ("trouble", "for", "set started again", "goes on after", "most memory of a member"),
            [
                (
                    each.trouble,
                    f"{each.seconds:.0f} s",
                    str(each.restarts),
                    f"{each.resumed_s:.1f} s",
                    f"{each.peak / MIB:.1f} MiB",
                )
                for each in seen
            ],
        )

    def _compare(self, hurt: Place, quiet: Place, rows: list[tuple[str, str]]) -> None:
        stage = self._stage
        found, wanted = stage.events(hurt.topic), stage.events(quiet.topic)
        series = [stage.series(place) for place in (hurt, quiet)]
        points = sum(len(values) for values in series[1].values())
        rows += [
            ("drift events of the quiet run", text_of(wanted)),
            ("drift events of the hurt run, to a read_committed consumer", text_of(found)),
            ("same events, same order", str(found == wanted)),
            ("points in series", f"{points:,} in {len(series[1]):,} series"),
            ("same series, bit for bit", str(series[0] == series[1])),
        ]
        show("Against one process that nobody disturbed", ("what", "figure"), rows)
        if found != wanted or series[0] != series[1]:
            say(f"NOT the same; the end of the log:\n{stage.log.read_text()[-3000:]}")
            raise SystemExit(1)


@contextmanager
def _watching(supervisor: int) -> Iterator[list[int]]:
    """Note the memory of the largest member again and again, meanwhile."""
    peaks, done = [0], threading.Event()

    def look() -> None:
        while not done.wait(LOOK_S):
            peaks.extend(resident_bytes(member) for member in members(supervisor))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()


if __name__ == "__main__":
    main()
