"""Where results go, and the snapshots that a run goes on from."""

from typing import Annotated

import msgspec

from flows.config_values import ConfigError, span_of
from flows.sections.base import Section
from state.durations import Axis
from state.stores.base import Keeping


class OutputTopicsConfig(Section, frozen=True):
    """Topics of Kafka for results; each must exist.

    Attributes
    ----------
    events
        Kafka topic for drift events and reports
    dead_letters
        Kafka topic for refused records, with their original bytes
    late_rows
        Kafka topic for late rows
    transactions
        `false`: no transactions; consumers then see an event twice if a process that was thought dead
        wakes up
    """

    events: str | None = None
    dead_letters: str | None = None
    late_rows: str | None = None
    transactions: bool = True


class OutputConfig(Section, frozen=True):
    """Where results go; names are inside `folder`, relative paths start at the configuration file.

    `store` is a file, or the URL of a Redis.

    Attributes
    ----------
    folder
        where the following lie
    events
        drift events and reports, one CloudEvent per line
    performance
        the same of [performance](performance.md), where it is measured
    errors
        drifts of [the errors](performance.md#errors-as-a-column), where labels come later
    dead_letters
        refused records with their reasons
    late_rows : not kept
        a file for rows that came too late
    store
        references, events, episodes, series and closed panes: a file, or a Redis (`redis://`,
        `rediss://`, `redis+sentinel://`, `redis+cluster://`)
    retention : for ever
        how far back the store keeps series, events, closed episodes and panes, in event time: a
        duration, or rows with `time.rows`; see below
    panes
        closed panes that the store keeps of each column, the last ones: counts of the bins, to look
        back with; 0: none
    compaction
        let a Redis with time series keep averages per hour and day as well
    redact
        keep no values of refused and late rows: see below
    max_file_bytes : one file each
        size from which events, dead letters and late rows go on in a new file
        ([how](operations.md#sizing)); at least 65,536
    keep_files
        full files of each that are kept, 2 or more; the oldest is deleted
    """

    folder: str = "out"
    events: str = "events.jsonl"
    performance: str = "performance.jsonl"
    errors: str = "errors.jsonl"
    dead_letters: str = "dead_letters.jsonl"
    late_rows: str | None = None
    store: str = "driftflow.sqlite"
    topics: OutputTopicsConfig = OutputTopicsConfig()
    retention: str | None = None
    panes: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 200
    compaction: bool = False
    redact: bool = False
    max_file_bytes: Annotated[int, msgspec.Meta(ge=65_536)] | None = None
    keep_files: Annotated[int, msgspec.Meta(ge=2, le=10_000)] = 10


class RecoveryConfig(Section, frozen=True):
    """Snapshots that a run resumes from after a crash or a stop.

    Attributes
    ----------
    folder
        where snapshots are kept
    interval
        event-independent time between snapshots
    """

    folder: str
    interval: str = "2s"


def checked_keeping(output: OutputConfig, axis: Axis) -> Keeping:
    """Read how much the store keeps; raises `ConfigError`."""
    retention = None if output.retention is None else span_of(output.retention, axis, "output.retention")
    if retention == 0:
        raise ConfigError(f"`output.retention`: found {output.retention!r}, wanted a longer span")
    return Keeping(retention=retention, panes=output.panes)
