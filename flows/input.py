"""The partitions that a configuration names, and how each is opened."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flows.config import Config
from flows.config_values import ConfigError
from flows.decode.base import Decoder
from flows.decode.factory import make_decoder
from flows.partition import Partition
from flows.plan import OpenPartition
from flows.scenarios.base import ScenarioError, ScenarioOptions
from flows.scenarios.registry import scenario
from flows.schema import GenerateConfig
from flows.sources.base import Reader
from flows.sources.files import FileFormat, guess_format, list_files, open_reader
from flows.sources.generator import GeneratorReader
from state.columns import Column, TimeColumn
from state.derived import Derivation
from state.durations import Axis, DurationError, parse_span

OpenReader = Callable[[bytes | None], tuple[Reader, Decoder]]
"""Opens one partition's reader at a position, with the decoder of its records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSet:
    """All partitions of an input.

    Attributes
    ----------
    readers
        By the partition's name, sorted.
    total
        What there is to read, in the unit of `Batch.size`: bytes on disk, or rows of a generator.
    unit
        "bytes" or "rows".
    names
        Where the rows come from, for people.
    live
        Whether more may come: the input ends only where it is told to.
    close
        Releases what the readers share, after all of them are closed.
    """

    readers: dict[str, OpenReader]
    total: int
    unit: str
    names: tuple[str, ...]
    live: bool = False
    close: Callable[[], None] = lambda: None


def file_input(
    path: Path,
    *,
    columns: tuple[Column, ...],
    time: TimeColumn | None,
    format_name: str | None = None,
    max_record_bytes: int = 1_048_576,
    missing: tuple[str, ...] = ("",),
    derived: tuple[Derivation, ...] = (),
) -> InputSet:
    """Take a file, or each file of a folder, as a partition.

    Raises
    ------
    SourceError
        The path does not exist, holds no data file, or its format cannot be told.
    """

    def opener(file: Path, position: bytes | None) -> tuple[Reader, Decoder]:
        known = guess_format(file) if format_name is None else FileFormat(format_name)
        reader = open_reader(file, format=known, max_record_bytes=max_record_bytes, resume=position)
        try:
            return reader, make_decoder(known, columns, time, reader.header, missing=missing, derived=derived)
        except BaseException:
            reader.close()
            raise

    files = list_files(path)
    return InputSet(
        readers={name: partial(opener, file) for name, file in sorted(files.items())},
        total=sum(file.stat().st_size for file in files.values()),
        unit="bytes",
        names=tuple(sorted(files)),
    )


def config_input(config: Config, path: Path | None = None) -> InputSet:
    """Take the input that a configuration names, or the file or folder given in its place.

    Raises
    ------
    SourceError, ConfigError
        There is no such input, or row numbers are asked of more than one partition.
    """
    source = path or config.input
    given = config.file.input
    if source is None:
        if given.generate is None:
            raise ConfigError(
                "`input.topics`: a topic has no end to read to here; name a file or folder of records instead"
            )
        found = _generated(given.generate, config)
    else:
        found = file_input(
            source,
            columns=config.fields,
            time=config.time,
            format_name=given.format if path is None else None,
            max_record_bytes=given.max_record_bytes,
            missing=given.missing,
            derived=config.derivations,
        )
    if config.grid.axis is Axis.ROWS and len(found.readers) > 1:
        raise ConfigError(
            f"`time.rows`: a row's number orders the rows of one file, and the input has "
            f"{len(found.readers)} partitions ({', '.join(found.names[:3])}, …); name a time column instead"
        )
    return found


def partition_opener(
    config: Config,
    found: InputSet,
    fingerprint: bytes,
    *,
    wall_clock: Callable[[], int] | None = None,
) -> OpenPartition:
    """Return what opens the partitions of an input for a run.

    Parameters
    ----------
    wall_clock
        Milliseconds since the epoch; used for the time-outs of a live input only.
    """

    def open_partition(name: str, resume: bytes | None) -> Partition:
        return Partition(
            name,
            grid=config.grid,
            bounds=config.bounds,
            open_reader=found.readers[name],
            fingerprint=fingerprint,
            batch_rows=config.file.input.batch_rows,
            keep_late=config.file.output.late_rows is not None
            or config.file.output.topics.late_rows is not None,
            resume=resume,
            record_time=config.file.time.record,
            wall_clock=wall_clock if found.live else None,
        )

    return open_partition


def _generated(given: GenerateConfig, config: Config) -> InputSet:
    try:
        chosen = scenario(given.scenario)
        options = ScenarioOptions(
            rows=given.rows,
            seed=given.seed,
            step_ms=parse_span(given.step, Axis.MILLISECONDS),
            disorder_ms=parse_span(given.disorder, Axis.MILLISECONDS),
        )
    except (ScenarioError, DurationError) as error:
        raise ConfigError(f"`input.generate`: {error}") from error

    def opener(partition: int, position: bytes | None) -> tuple[Reader, Decoder]:
        reader = GeneratorReader(
            chosen, options, partition=partition, partitions=given.partitions, position=position
        )
        return reader, make_decoder(FileFormat.JSONL, config.fields, config.time, derived=config.derivations)

    return InputSet(
        readers={f"{given.scenario}-{i:02d}": partial(opener, i) for i in range(given.partitions)},
        total=given.rows,
        unit="rows",
        names=(f"scenario {given.scenario}, seed {given.seed}",),
    )
