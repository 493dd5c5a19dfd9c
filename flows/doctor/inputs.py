"""Where events come from: files, topics or a generator, and what their records are like."""

from collections.abc import Iterator, Mapping

from flows.config import Config
from flows.connections import kafka_connector
from flows.decode.base import Decoder
from flows.decode.factory import make_decoder
from flows.doctor.findings import Finding, broken, doubtful, fine
from flows.doctor.records import SAMPLE, record_findings, sampled
from flows.input import config_input
from flows.kafka.base import Isolation, KafkaClient, TopicPartition, UnknownTopicError
from flows.kafka.reader import Begin, KafkaRecordReader, Start
from flows.kafka_input import read_start
from flows.render.words import bytes_text, count_text
from flows.sources.base import Reader
from flows.sources.formats import FileFormat

_MOST_PARTITIONS = 8
"""Partitions of which records are looked at."""


def input_findings(config: Config, environ: Mapping[str, str], *, now_ms: int) -> Iterator[Finding]:
    """Look at the input that the configuration names."""
    if config.file.input.topics is not None:
        yield from _topic_findings(config, environ, now_ms=now_ms)
        return
    found = config_input(config)
    size = bytes_text(found.total) if found.unit == "bytes" else count_text(found.total, "row")
    yield fine("input", f"{count_text(len(found.readers), 'partition')}, {size}: {_named(found.names)}")
    pairs = (open_reader(None) for open_reader in list(found.readers.values())[:_MOST_PARTITIONS])
    looked = sampled(pairs, record_time=False)
    yield from record_findings(config, looked, now_ms=now_ms, live=False)


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")  # noqa: PLR2004  # a line's worth


def _topic_findings(config: Config, environ: Mapping[str, str], *, now_ms: int) -> Iterator[Finding]:
    topics = config.file.input.topics or ()
    read_start(config.file.input.start)
    client = kafka_connector(config, environ)()
    try:
        found = client.partitions(topics)
        yield fine("kafka", f"{config.file.kafka.bootstrap} answers")
        bounds = {at: client.bounds(at, Isolation.COMMITTED) for at in found}
        records = sum(each.end - each.low for each in bounds.values())
        yield fine(
            "input", f"{count_text(len(found), 'partition')}, {records:,} records: {', '.join(topics)}"
        )
        filled = [at for at in found if bounds[at].end > bounds[at].low]
        if records and len(filled) < len(found):
            yield doubtful(
                "input",
                f"{count_text(len(found) - len(filled), 'partition')} without a record",
                "an idle partition holds windows open for `time.idle_timeout`; spread keys, or lower it",
            )
        pairs = (
            _last(config, client, at, max(bounds[at].low, bounds[at].end - SAMPLE))
            for at in filled[:_MOST_PARTITIONS]
        )
        looked = sampled(pairs, record_time=config.file.time.record)
        yield from record_findings(config, looked, now_ms=now_ms, live=True)
    except UnknownTopicError as error:
        yield broken("input", str(error), "create the topic: driftflow reads topics and never makes them")
    finally:
        client.close()


def _last(config: Config, client: KafkaClient, at: TopicPartition, offset: int) -> tuple[Reader, Decoder]:
    """Open a partition shortly before its end: what comes now is more telling than what came first."""
    reader = KafkaRecordReader(
        client,
        at,
        start=Start(begin=Begin.OFFSET, at=offset),
        until_end=True,
        max_record_bytes=config.file.input.max_record_bytes,
    )
    return reader, make_decoder(FileFormat.JSONL, config.fields, config.time, derived=config.derivations)
