"""Writes the events of a generated data set to the topic that a configuration reads; ends when all are there.

Row i goes to partition i modulo the number of partitions, so that partitions stay close in event time. What a
partition holds tells how far an earlier run came: started again, the script goes on from there.
"""
# ruff: noqa: INP001  # a script that the compose file mounts, no package

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

import orjson

from flows.config import Config, load_config
from flows.config_values import ConfigError
from flows.connections import kafka_connector
from flows.kafka.base import Isolation, OutgoingRecord, PartitionWriter

CHUNK = 400
"""Rows between two looks at the clock."""


def produce(
    config: Config,
    events: Path,
    *,
    rows_per_s: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Write what is not there yet; return the number of rows written.

    Parameters
    ----------
    rows_per_s
        The pace; None: as fast as the broker takes them.

    Raises
    ------
    ConfigError
        The configuration reads no topic, or more than one.
    """
    topics = config.file.input.topics or ()
    if len(topics) != 1:
        raise ConfigError(f"`input.topics`: found {list(topics)}, wanted the one topic to write to")
    client = kafka_connector(config, os.environ)()
    try:
        partitions = client.partitions(topics)
        there = [client.bounds(at, Isolation.UNCOMMITTED).end for at in partitions]
        writers = [client.writer(at, None) for at in partitions]
        started_s, written = clock(), 0
        for chunk in _chunks(events):
            written += _write(chunk, writers, there)
            if rows_per_s is not None:
                sleep(max(0.0, started_s + written / rows_per_s - clock()))
        for writer in writers:
            writer.close()
        return written
    finally:
        client.close()


def _chunks(events: Path) -> Iterator[list[tuple[int, bytes]]]:
    with events.open("rb") as lines:
        numbered = enumerate(lines)
        while chunk := list(islice(numbered, CHUNK)):
            yield chunk


def _write(
    chunk: Sequence[tuple[int, bytes]], writers: Sequence[PartitionWriter], there: Sequence[int]
) -> int:
    """Write one chunk, each row to its partition; return how many rows were missing."""
    count = len(writers)
    written = 0
    for partition, writer in enumerate(writers):
        records = [
            _record(line)
            for row, line in chunk
            if row % count == partition and row // count >= there[partition]
        ]
        if records:
            writer.write(records)
            written += len(records)
    return written


def _record(line: bytes) -> OutgoingRecord:
    # The record carries the time of its event, as it would have at the time.
    moment = datetime.fromisoformat(orjson.loads(line)["ts"])
    return OutgoingRecord(key=None, value=line.rstrip(b"\n"), timestamp_ms=round(moment.timestamp() * 1000))


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("config", type=Path)
    parser.add_argument("events", type=Path, help="JSON lines, as driftflow generate writes them")
    parser.add_argument("--rows-per-s", type=float, help="pace; by default as fast as the broker takes them")
    asked = parser.parse_args(arguments)
    written = produce(load_config(asked.config), asked.events, rows_per_s=asked.rows_per_s)
    sys.stdout.write(f"wrote {written:,} rows\n")


if __name__ == "__main__":
    main(sys.argv[1:])
