"""The partitions that a configuration names, and how each is opened."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from flows.batch import label_partition, side_of
from flows.config import Config
from flows.config_values import ConfigError
from flows.decode.base import Decoder
from flows.decode.factory import make_decoder
from flows.partition import Partition
from flows.plan import OpenPartition
from flows.record_spec import record_watch
from flows.scenarios.base import ScenarioError, ScenarioOptions
from flows.scenarios.registry import scenario
from flows.sections.input import GenerateConfig
from flows.sources.base import Reader, SourceError
from flows.sources.formats import FileFormat, guess_format, list_files
from flows.sources.generator import GeneratorReader
from flows.sources.opening import open_reader
from state.columns import Column, TimeColumn
from state.derived import Derivation
from state.durations import Axis, DurationError, parse_span
from state.halves import Side

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
    labels
        Partitions of labels that are joined to the rows; None: there are none.
    """

    readers: dict[str, OpenReader]
    total: int
    unit: str
    names: tuple[str, ...]
    live: bool = False
    close: Callable[[], None] = lambda: None
    labels: "InputSet | None" = None

    @property
    def partitions(self) -> tuple[str, ...]:
        """Names of all partitions, those of labels among them, sorted."""
        return tuple(sorted([*self.readers, *(self.labels.readers if self.labels is not None else ())]))

    @property
    def endless(self) -> bool:
        """Whether more may come of either side."""
        return self.live or (self.labels is not None and self.labels.live)

    @property
    def whole(self) -> int:
        """What there is to read of both sides, in the unit of the events."""
        labels = self.labels
        return self.total + (labels.total if labels is not None and labels.unit == self.unit else 0)

    def with_labels(self, labels: "InputSet | None") -> "InputSet":
        """Return the same input with labels beside it, closed together."""
        if labels is None:
            return self

        def close() -> None:
            self.close()
            labels.close()

        return replace(self, labels=labels, close=close)

    def named(self, name: Callable[[str], str]) -> "InputSet":
        """Return the same partitions under other names."""
        return replace(self, readers={name(old): opened for old, opened in self.readers.items()})


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
    if config.grid.axis is Axis.ROWS:
        _check_one(found, "time.rows", "name a time column instead")
    return found


def file_labels(config: Config) -> InputSet | None:
    """Take the labels that a configuration names, where they are files; None: they are not.

    Raises
    ------
    SourceError, ConfigError
        There are none, or row numbers are asked of more than one file.
    """
    given, labels = config.file.labels, config.labels
    if given is None or labels is None or given.path is None:
        return None
    path = config.folder / given.path
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder; check labels.path")
    found = file_input(
        path,
        columns=labels.fields,
        time=labels.time,
        format_name=given.format,
        max_record_bytes=config.file.input.max_record_bytes,
        missing=given.missing,
    )
    if config.grid.axis is Axis.ROWS and not labels.known:
        _check_one(found, "labels.time.rows", "leave `labels.time` out if they were known from the start")
    return found.named(label_partition)


def _check_one(found: InputSet, key: str, instead: str) -> None:
    if len(found.readers) > 1:
        raise ConfigError(
            f"`{key}`: a row's number orders the rows of one file, and the input has "
            f"{len(found.readers)} partitions ({', '.join(found.names[:3])}, …); {instead}"
        )


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
    labels = config.labels

    def open_partition(name: str, resume: bytes | None) -> Partition:
        given = found.labels if side_of(name) is Side.LABELS else found
        assert given is not None, f"{name} is one of the partitions that were named"
        own = labels if given is found.labels else None
        return Partition(
            name,
            grid=config.grid,
            bounds=config.bounds if own is None else config.label_bounds,
            open_reader=given.readers[name],
            fingerprint=fingerprint,
            batch_rows=config.file.input.batch_rows,
            keep_late=config.file.output.late_rows is not None
            or config.file.output.topics.late_rows is not None,
            resume=resume,
            record_time=config.file.time.record if own is None else own.record_time,
            timeless=own is not None and own.known,
            wall_clock=wall_clock if given.live else None,
            watch=record_watch(config) if own is None else None,
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
