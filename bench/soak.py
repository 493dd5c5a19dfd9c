"""Half an hour of steady traffic through a supervised set: memory of each member, size of recovery folder.

Needs a Kafka and a Redis: eval "$(scripts/services env)" after scripts/services up.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.growth import LIMIT, MIB, WARM_UP, grows, growth, picked
from bench.live import (
    PARTITIONS,
    Stage,
    folder_bytes,
    members,
    metric,
    resident_bytes,
    servers_from_environment,
    stop,
)
from bench.measure import say, show
from flows.scenarios.base import ScenarioOptions
from tests.integration.processes import free_ports

ROWS_PER_S = 400
EVERY_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look at a run: seconds since its start, rows counted, bytes of each process and of the folder."""

    at_s: float
    rows: int
    supervisor: int
    members: tuple[int, ...]
    folder: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, watch, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--quick", action="store_true", help="one minute, which shows that it works and little else"
    )
    given = parser.parse_args(arguments)
    minutes = 1.0 if given.quick else given.minutes
    with TemporaryDirectory() as folder:
        samples, restarts = soak(Path(folder), seconds=minutes * 60, workers=given.workers)
    report(samples, restarts, minutes)


def soak(folder: Path, *, seconds: float, workers: int) -> tuple[list[Sample], int]:
    """Feed a set for some time; what was seen of it, and how often it was started again."""
    stage = Stage(
        folder=folder,
        name=f"soak-{int(time.time())}",
        servers=servers_from_environment(),
        options=ScenarioOptions(
            rows=int(ROWS_PER_S * seconds), seed=5, reference_rows=20_000, disorder_ms=90_000
        ),
    )
    stage.create_topic(stage.name, partitions=PARTITIONS)
    place = stage.place("soak", 3)
    (port,) = free_ports(1)
    supervisor = stage.start(place, "--workers", str(workers), "--metrics-port", str(port))
    samples: list[Sample] = []
    with stage.producing(seconds) as producer:
        began = time.monotonic()
        while not producer.done.wait(EVERY_S):
            samples.append(
                Sample(
                    at_s=time.monotonic() - began,
                    rows=int(sum(metric("driftflow_events_total", port))),
                    supervisor=resident_bytes(supervisor.pid),
                    members=tuple(resident_bytes(member) for member in members(supervisor.pid)),
                    folder=folder_bytes(place.recovery),
                )
            )
    stop(supervisor)
    stage.forget(place)
    return samples, stage.log.read_text().count("(restart ")


def report(samples: Sequence[Sample], restarts: int, minutes: float) -> None:
    """Print some of the samples, and how fast each size grows once it has its level."""
    n_members = max(len(sample.members) for sample in samples)
    whole = [sample for sample in samples if len(sample.members) == n_members]
    show(
        f"{minutes:g} minutes at {ROWS_PER_S} rows/s over {PARTITIONS} partitions, MiB",
        ("minute", "rows", "supervisor", *(f"member {i}" for i in range(n_members)), "recovery folder"),
        [
            (
                f"{sample.at_s / 60:.1f}",
                f"{sample.rows:,}",
                f"{sample.supervisor / MIB:.1f}",
                *(f"{size / MIB:.1f}" for size in sample.members),
                f"{sample.folder / MIB:.2f}",
            )
            for sample in (whole[place] for place in picked(len(whole)))
        ],
    )
    settled = [sample for sample in whole if sample.at_s >= WARM_UP * minutes * 60]
    at_s = [sample.at_s for sample in settled]
    sizes = {f"member {i}": [sample.members[i] for sample in settled] for i in range(n_members)}
    sizes["supervisor"] = [sample.supervisor for sample in settled]
    sizes["recovery folder"] = [sample.folder for sample in settled]
    growths = {name: growth(at_s, values) for name, values in sizes.items()}
    words = ", ".join(f"{name} {slope / MIB:+.2f} MiB" for name, slope in growths.items())
    growing = [name for name, values in sizes.items() if grows(growths[name], values)]
    say(f"Growth per hour after the first {WARM_UP:.0%}: {words}. Started again: {restarts} times.")
    verdict = f"GROWS: {', '.join(growing)}" if growing else "flat"
    say(f"Verdict: {verdict}; the limit is {LIMIT:.0%} of the level per hour.")


if __name__ == "__main__":
    main()
