"""Creates the topics that a configuration names; those that are there stay as they are."""
# ruff: noqa: INP001  # a script that the compose file mounts, no package

import argparse
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from flows.config import Config, load_config

with warnings.catch_warnings():
    # kafka-python reads its schemas by functions that Python 3.11 and 3.12 call deprecated.
    warnings.filterwarnings("ignore", "(read|open)_text is deprecated", DeprecationWarning)
    # It carries no type information either.
    from kafka import KafkaAdminClient  # type: ignore[import-untyped]

KEEP_FOR_EVER = {"retention.ms": "-1"}
"""Records carry the time of their event: the default retention would delete those of a replay at once."""


def wanted_topics(config: Config, *, partitions: int) -> Iterator[tuple[str, int]]:
    """Give each topic with its number of partitions: many for the input, one for each kind of result."""
    output = config.file.output.topics
    for topic in config.file.input.topics or ():
        yield topic, partitions
    for result in (output.events, output.dead_letters, output.late_rows):
        if result is not None:
            yield result, 1


def create_topics(config: Config, *, partitions: int) -> list[str]:
    """Create what is missing; return the names of those."""
    admin = KafkaAdminClient(bootstrap_servers=config.file.kafka.bootstrap)
    try:
        there = set(admin.list_topics())
        missing = {
            topic: {"num_partitions": count, "replication_factor": 1, "configs": KEEP_FOR_EVER}
            for topic, count in wanted_topics(config, partitions=partitions)
            if topic not in there
        }
        if missing:
            admin.create_topics(missing, wait_for_metadata=True)
        return list(missing)
    finally:
        admin.close()


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--partitions", type=int, default=4, help="of each topic that is read")
    asked = parser.parse_args(arguments)
    created = create_topics(load_config(asked.config), partitions=asked.partitions)
    sys.stdout.write(f"created {', '.join(created)}\n" if created else "all topics are there\n")


if __name__ == "__main__":
    main(sys.argv[1:])
