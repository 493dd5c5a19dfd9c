"""The partitions of Kafka topics as an input."""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from flows.batch import label_partition
from flows.config import Config
from flows.config_values import ConfigError
from flows.connections import topic_partitions
from flows.decode.base import Decoder
from flows.decode.factory import make_decoder
from flows.input import InputSet
from flows.kafka.base import KafkaAwayError, KafkaClient, TopicPartition
from flows.kafka.reader import Begin, KafkaRecordReader, Start, next_offset
from flows.sources.base import RawBatch, Reader
from flows.sources.formats import FileFormat


def kafka_input(
    config: Config,
    open_client: Callable[[], KafkaClient],
    *,
    known: Collection[str] | None = None,
    on_lag: Callable[[str, int | None], None] = lambda _partition, _lag: None,
) -> InputSet:
    """Take all partitions of the configured topics; waits for a cluster that is away.

    Parameters
    ----------
    known
        Partitions that an earlier life of the run began with; others have appeared since, and are read from
        their earliest record. None: there was none.
    on_lag
        Told after each read how many records there are from there to the partition's end.

    Raises
    ------
    KafkaError
        A topic does not exist, or may not be read.
    ConfigError
        `input.start` is none of what it may be.
    """
    given = config.file.input
    assert given.topics is not None
    fields, derived = config.fields, config.derivations
    decoder = partial(make_decoder, FileFormat.JSONL, fields, config.time, derived=derived)
    start = read_start(given.start, "input.start")
    return _topic_input(config, open_client(), given.topics, start, decoder, known=known, on_lag=on_lag)


def label_topics(
    config: Config,
    open_client: Callable[[], KafkaClient],
    *,
    known: Collection[str] | None = None,
    on_lag: Callable[[str, int | None], None] = lambda _partition, _lag: None,
) -> InputSet | None:
    """Take all partitions of the labels' topics, as `kafka_input` does; None where none are configured."""
    given, labels = config.file.labels, config.labels
    if given is None or labels is None or given.topics is None:
        return None
    decoder = partial(make_decoder, FileFormat.JSONL, labels.fields, labels.time)
    start = read_start(given.start, "labels.start")
    return _topic_input(
        config, open_client(), given.topics, start, decoder, name=label_partition, known=known, on_lag=on_lag
    )


def _topic_input(
    config: Config,
    client: KafkaClient,
    topics: tuple[str, ...],
    start: Start,
    decoder: Callable[[], Decoder],
    *,
    name: Callable[[str], str] = str,
    known: Collection[str] | None,
    on_lag: Callable[[str, int | None], None],
) -> InputSet:
    given = config.file.input

    def opener(at: TopicPartition, position: bytes | None) -> tuple[Reader, Decoder]:
        called = name(str(at))
        reader = KafkaRecordReader(
            client,
            at,
            position=position,
            start=start if known is None or called in known else Start(),
            until_end=given.until_end,
            max_record_bytes=given.max_record_bytes,
        )
        watched = _WatchedReader(reader, client, at, config.file.kafka.group, partial(on_lag, called))
        return watched, decoder()

    return InputSet(
        readers={name(str(at)): partial(opener, at) for at in topic_partitions(client, topics)},
        total=0,
        unit="bytes",
        names=topics,
        live=not given.until_end,
        close=client.close,
    )


@dataclass(slots=True)
class _WatchedReader:
    """Tells how far a job lags behind, and where a group is named also Kafka; the job itself never asks.

    A position is taken at the end of an epoch, and is durable when the next one is taken: that is when the
    one before is told.
    """

    reader: KafkaRecordReader
    client: KafkaClient
    at: TopicPartition
    group: str | None
    on_lag: Callable[[int | None], None]
    durable: int | None = None

    def read(self, max_records: int) -> RawBatch | None:
        batch = self.reader.read(max_records)
        self.on_lag(self.reader.lag)
        return batch

    def position(self) -> bytes:
        position = self.reader.position()
        offset = next_offset(position)
        if self.group is not None and self.durable is not None and self.durable != offset:
            # A commit that fails is made up for by the next one.
            with suppress(KafkaAwayError):
                self.client.commit(self.group, {self.at: self.durable})
        self.durable = offset
        return position

    def close(self) -> None:
        self.reader.close()


def read_start(text: str, key: str = "input.start") -> Start:
    """Read where to begin: `earliest`, `latest`, `offset N`, or a time; `key` is what errors call it.

    Raises
    ------
    ConfigError
        It is none of them.

    Examples
    --------
    >>> read_start("offset 12").at
    12
    """
    if text in {Begin.EARLIEST, Begin.LATEST}:
        return Start(begin=Begin(text))
    word, _, number = text.partition(" ")
    if word == "offset" and number.isascii() and number.isdigit():
        return Start(begin=Begin.OFFSET, at=int(number))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"`{key}`: found {text!r}, wanted earliest, latest, 'offset 1000' or a time such as "
            "'2026-01-05T00:00:00Z'"
        ) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Start(begin=Begin.TIMESTAMP, at=round(moment.timestamp() * 1000))
