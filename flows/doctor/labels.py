"""Where labels come from, and what their records are like."""

from collections.abc import Iterator, Mapping

from flows.config import Config
from flows.connections import kafka_connector
from flows.decode.base import Decoder
from flows.decode.factory import make_decoder
from flows.doctor.findings import Finding, broken, doubtful, fine
from flows.doctor.records import SAMPLE, Looked, sampled
from flows.input import file_labels
from flows.kafka.base import Isolation, KafkaClient, TopicPartition, UnknownTopicError
from flows.kafka.reader import Begin, KafkaRecordReader, Start
from flows.kafka_input import read_start
from flows.render.words import bytes_text, count_text
from flows.sections.labels import Labels
from flows.sources.base import Reader
from flows.sources.formats import FileFormat

_MOST_PARTITIONS = 8
"""Partitions of which records are looked at."""


def label_findings(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at the labels that are to be joined; nothing where there are none."""
    labels = config.labels
    if labels is None:
        return
    found = file_labels(config)
    if found is None:
        yield from _topic_findings(config, labels, environ)
        return
    yield fine("labels", f"{count_text(len(found.readers), 'partition')}, {bytes_text(found.total)}")
    pairs = (open_reader(None) for open_reader in list(found.readers.values())[:_MOST_PARTITIONS])
    yield from _record_findings(labels, sampled(pairs, record_time=False))


def _topic_findings(config: Config, labels: Labels, environ: Mapping[str, str]) -> Iterator[Finding]:
    given = config.file.labels
    assert given is not None  # there are labels
    read_start(given.start, "labels.start")
    client = kafka_connector(config, environ)()
    try:
        found = client.partitions(given.topics or ())
        bounds = {at: client.bounds(at, Isolation.COMMITTED) for at in found}
        records = sum(each.end - each.low for each in bounds.values())
        yield fine("labels", f"{count_text(len(found), 'partition')}, {records:,} records")
        filled = [at for at in found if bounds[at].end > bounds[at].low]
        pairs = (
            _last(config, labels, client, at, max(bounds[at].low, bounds[at].end - SAMPLE))
            for at in filled[:_MOST_PARTITIONS]
        )
        yield from _record_findings(labels, sampled(pairs, record_time=labels.record_time))
    except UnknownTopicError as error:
        yield broken("labels", str(error), "create the topic: driftflow reads topics and never makes them")
    finally:
        client.close()


def _last(
    config: Config, labels: Labels, client: KafkaClient, at: TopicPartition, offset: int
) -> tuple[Reader, Decoder]:
    reader = KafkaRecordReader(
        client,
        at,
        start=Start(begin=Begin.OFFSET, at=offset),
        until_end=True,
        max_record_bytes=config.file.input.max_record_bytes,
    )
    return reader, make_decoder(FileFormat.JSONL, labels.fields, labels.time)


def _record_findings(labels: Labels, found: Looked) -> Iterator[Finding]:
    if not found.seen:
        yield doubtful("labels", "no record yet", "predictions wait for them, up to `labels.horizon`")
        return
    refused = found.refused.total()
    text = f"{count_text(found.good, 'record')} of {found.seen:,} looked at can be used"
    if refused:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in found.refused.most_common())
        tell = broken if not found.good else doubtful
        yield tell("labels", f"{text}; refused: {reasons}", f"the first of them: {found.example}")
    else:
        yield fine("labels", text)
    for field, key in zip(labels.fields, ("labels.id", "labels.label"), strict=True):
        if found.good and found.missing[field.name] == found.good:
            yield broken(
                "labels",
                f"`{key}` (path {field.path}) holds no value in {count_text(found.good, 'record')}",
                f"check `{key}`: a nested field is written a.b",
            )
