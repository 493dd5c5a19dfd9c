"""Kills workers at random moments while they read Kafka, and compares what comes out with a quiet run.

A producer writes the demo stream to a topic at an even pace. A supervised set reads it, and is hurt: members
are killed with -9, the supervisor too, and the number of workers changes from 1 to 3 to 2. At the end all is
held against one undisturbed process over the same topic: drift events in their order, and every series.

Needs a Kafka and a Redis: eval "$(scripts/services env)" after scripts/services up.
"""

import argparse
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from bench.live import PARTITIONS, Place, Stage, members, servers_from_environment, stop, text_of
from bench.measure import say, show
from flows.scenarios.base import ScenarioOptions

SEED = 11
START_S = 30.0


def main() -> None:
    """Run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one minute and 4 kills instead of ten and 20")
    given = parser.parse_args()
    minutes, kills, rows = (1.0, 4, 30_000) if given.quick else (10.0, 20, 200_000)
    with TemporaryDirectory() as folder:
        stage = Stage(
            folder=Path(folder),
            name=f"chaos-{int(time.time())}",
            servers=servers_from_environment(),
            options=ScenarioOptions(rows=rows, seed=SEED, reference_rows=20_000, disorder_ms=90_000),
        )
        Chaos(stage, minutes=minutes, kills=kills).run()


class Chaos:
    """The two runs over a stream, and the blows."""

    def __init__(self, stage: Stage, *, minutes: float, kills: int) -> None:
        self._stage = stage
        self._minutes = minutes
        self._kills = kills
        self._rng = Random(SEED)  # noqa: S311  # when to strike is no secret

    def run(self) -> None:
        """Hurt one run, leave the other alone, compare."""
        stage = self._stage
        stage.create_topic(stage.name, partitions=PARTITIONS)
        hurt, quiet = stage.place("hurt", 1), stage.place("quiet", 2)
        with stage.producing(self._minutes * 60 * 0.97):
            struck = self._hurt(hurt)
        began = time.monotonic()
        stage.finish(hurt, "--workers", "2")
        stage.finish(quiet)
        self._compare(hurt, quiet, struck, time.monotonic() - began)
        stage.forget(hurt, quiet)

    def _hurt(self, place: Place) -> Counter[str]:
        struck = Counter[str]()
        end = time.monotonic() + self._minutes * 60
        pause = self._minutes * 60 / (self._kills + 3)
        workers: Iterator[str] = iter("132")
        supervisor = self._stage.start(place, "--workers", next(workers))
        for blow in range(self._kills):
            time.sleep(self._rng.uniform(0.5, 1.5) * pause)
            if blow in (self._kills // 3, 2 * self._kills // 3):
                stop(supervisor)
                supervisor = self._stage.start(place, "--workers", next(workers))
                struck["rescaled"] += 1
                time.sleep(2)
            victims = _members_to_be(supervisor.pid)
            if self._rng.random() < 0.2 or not victims:
                supervisor.kill()
                supervisor.wait()
                supervisor = self._stage.start(place, "--workers", "3")
                struck["supervisor killed"] += 1
            else:
                os.kill(self._rng.choice(victims), signal.SIGKILL)
                struck["member killed"] += 1
        time.sleep(max(0.0, end - time.monotonic()))
        stop(supervisor)
        return struck

    def _compare(self, hurt: Place, quiet: Place, struck: Counter[str], seconds: float) -> None:
        stage = self._stage
        found, wanted = stage.events(hurt.topic), stage.events(quiet.topic)
        series = [stage.series(place) for place in (hurt, quiet)]
        points = sum(len(values) for values in series[1].values())
        rows = [
            ("rows written", f"{stage.options.rows:,} in {self._minutes:g} min"),
            *((what, str(count)) for what, count in sorted(struck.items())),
            ("drift events of the quiet run", text_of(wanted)),
            ("drift events of the hurt run, to a read_committed consumer", text_of(found)),
            ("same events, same order", str(found == wanted)),
            ("points in series", f"{points:,} in {len(series[1]):,} series"),
            ("same series, bit for bit", str(series[0] == series[1])),
            ("last two runs to the end", f"{seconds:.0f} s"),
        ]
        show("Kill -9 and rescaling against one undisturbed process", ("what", "figure"), rows)
        if found != wanted or series[0] != series[1]:
            say(f"NOT the same; the end of the log:\n{stage.log.read_text()[-3000:]}")
            raise SystemExit(1)


def _members_to_be(supervisor: int) -> list[int]:
    """Wait for a set that is just being started, perhaps after a pause; none where it does not come."""
    deadline = time.monotonic() + START_S
    while not (found := members(supervisor)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


if __name__ == "__main__":
    main()
