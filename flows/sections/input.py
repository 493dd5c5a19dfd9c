"""Where events come from: files, topics of Kafka, or a generator."""

from typing import Annotated, Literal

import msgspec

from flows.sections.base import Positive, Section


class GenerateConfig(Section, frozen=True):
    """A seeded stream instead of a file.

    Attributes
    ----------
    scenario
        a seeded stream instead of a file, by the name of its [scenario](scenarios.md)
    rows
        its length
    seed
        the same seed gives the same rows
    partitions
        rows are dealt to this many partitions
    step
        event time between rows
    disorder
        rows are delayed by up to this much
    """

    scenario: str
    rows: Positive = 100_000
    seed: Annotated[int, msgspec.Meta(ge=0)] = 1
    partitions: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    step: str = "30s"
    disorder: str = "0s"


class InputConfig(Section, frozen=True):
    """Where events come from: `path` (a file or a folder of partitions), `topics` of Kafka, or `generate`.

    Attributes
    ----------
    path
        a file, a folder whose files are partitions, or a pattern such as `day-*.csv`; one of this,
        `topics` and `generate`
    topics
        Kafka topics with JSON records; every partition is one of the run
    start
        where topics are read from at first: `earliest`, `latest`, `offset 1000`, or a time
    until_end
        stop where the topics ended when the run began: a backfill
    format : by name
        `csv`, `jsonl`, `parquet` or `arrow`; otherwise `.csv`, `.jsonl`, `.ndjson`, `.json`, each
        also with `.gz`, `.parquet`, `.arrow`, `.feather`
    batch_rows
        most rows of a poll, 1 to 8192; no result depends on it
    max_record_bytes
        a longer record becomes a dead letter; in a file it is not even held in memory
    missing : `[""]`
        texts of a CSV file that mean a missing value
    """

    path: str | None = None
    topics: tuple[str, ...] | None = None
    generate: GenerateConfig | None = None
    start: str = "earliest"
    until_end: bool = False
    format: Literal["csv", "jsonl", "parquet", "arrow"] | None = None
    batch_rows: Annotated[int, msgspec.Meta(ge=1, le=8_192)] = 8_192
    max_record_bytes: Annotated[int, msgspec.Meta(ge=1_024, le=67_108_864)] = 1_048_576
    missing: tuple[str, ...] = ("",)
