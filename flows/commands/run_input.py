"""The input of a run: events, and the labels that are joined to them."""

import os
from collections.abc import Callable

from flows.batch import label_partition
from flows.commands.run_asked import RunAsked
from flows.config import Config
from flows.connections import kafka_connector, topic_partitions
from flows.engine import Recovery
from flows.hooks import Hooks
from flows.input import InputSet, config_input, file_labels
from flows.kafka_input import kafka_input, label_topics
from flows.recovery import known_partitions


def open_input(config: Config, asked: RunAsked, recovery: Recovery | None, hooks: Hooks) -> InputSet:
    """Take the input that was asked for: a path, or what the configuration names; and its labels."""
    known = None if recovery is None or asked.overwrite else known_partitions(recovery.folder)
    if _read_files(config, asked):
        found = config_input(config, asked.input)
    else:
        found = kafka_input(config, kafka_connector(config, os.environ), known=known, on_lag=hooks.on_lag)
    found = found.with_labels(file_labels(config))
    if config.file.labels is None or config.file.labels.topics is None:
        return found
    labels = label_topics(config, kafka_connector(config, os.environ), known=known, on_lag=hooks.on_lag)
    return found.with_labels(labels)


def check_decoders(config: Config, source: InputSet, asked: RunAsked) -> None:
    """Open every file once, so that a column that one lacks is told before anything is written."""
    files = dict(source.readers) if _read_files(config, asked) else {}
    if source.labels is not None and config.file.labels is not None and config.file.labels.path is not None:
        files |= source.labels.readers
    for opener in files.values():
        reader, _ = opener(None)
        reader.close()


def partition_lister(config: Config, source: InputSet) -> Callable[[], list[str]] | None:
    """Return what names all partitions as they are now; None where no more can come.

    Topics are looked up through a connection of its own.
    """
    if not source.endless:
        return None
    labels = source.labels
    fixed = [] if source.live else list(source.readers)
    events = config.file.input.topics if source.live else None
    others = (
        None if labels is None or not labels.live or config.file.labels is None else config.file.labels.topics
    )

    def listed() -> list[str]:
        client = kafka_connector(config, os.environ)()
        try:
            found = [str(at) for at in topic_partitions(client, events or ())]
            found += [label_partition(str(at)) for at in topic_partitions(client, others or ())]
        finally:
            client.close()
        # Labels are often delivered as files, one after the other.
        files = file_labels(config)
        return sorted([*fixed, *found, *(() if files is None else files.readers)])

    return listed


def _read_files(config: Config, asked: RunAsked) -> bool:
    """Whether events come from files, or from a generator."""
    return asked.input is not None or config.file.input.topics is None
