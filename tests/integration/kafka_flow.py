"""A small flow into the Kafka sink, in a process of its own, so that a test can kill it.

Prints "writing" with the first event and "ended" at the end.
"""

import sys
import time
from argparse import ArgumentParser, Namespace
from datetime import timedelta
from pathlib import Path
from typing import get_args

import bytewax.operators as op
import msgspec
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.recovery import RecoveryConfig
from bytewax.testing import cluster_main

from flows.kafka.base import KafkaSettings
from flows.kafka.connect import Library, connect
from flows.sinks.kafka import KafkaEventSink
from state.stores.base import StoredEvent

PARTS = ("a", "b")
MODELS = 5
BATCH = 4


def event(part: str, number: int) -> StoredEvent:
    """Make the same event for the same place in the input, always."""
    model = f"{part}{number % MODELS}"
    body = {"subject": f"{model}/1/1h/amount", "partitionkey": model, "data": {"n": number}}
    return StoredEvent(
        id=f"{part}-{number}",
        type="opened",
        model=model,
        model_version="1",
        window="1h",
        feature="amount",
        episode=None,
        end=number,
        body=msgspec.json.encode(body),
    )


class Events(FixedPartitionedSource[StoredEvent, int]):
    """Events of two parts, some at a time and not too fast."""

    def __init__(self, count: int, pause_s: float) -> None:
        self.count, self.pause_s = count, pause_s

    def list_parts(self) -> list[str]:
        return list(PARTS)

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> "_Part":  # noqa: ARG002 - Bytewax's
        return _Part(self, for_part, resume_state or 0)


class _Part(StatefulSourcePartition[StoredEvent, int]):
    def __init__(self, events: Events, part: str, position: int) -> None:
        self.events, self.part, self.position = events, part, position

    def next_batch(self) -> list[StoredEvent]:
        if self.position >= self.events.count:
            raise StopIteration
        time.sleep(self.events.pause_s)
        numbers = range(self.position, min(self.position + BATCH, self.events.count))
        self.position = numbers.stop
        say("writing")
        return [event(self.part, number) for number in numbers]

    def snapshot(self) -> int:
        return self.position


def main() -> None:
    """Run as the arguments say."""
    given = _arguments()
    sink = KafkaEventSink(
        lambda: connect(KafkaSettings(bootstrap=given.bootstrap, patience_s=5.0), given.library),
        given.topic,
        job="fraud",
        transactions=not given.plain,
    )
    flow = Dataflow("events")
    events = op.input("in", flow, Events(given.count, given.pause_s))
    op.output("out", op.key_on("key", events, lambda each: each.model), sink)
    cluster_main(  # type: ignore[no-untyped-call]  # Bytewax's
        flow,
        given.addresses,
        given.member,
        epoch_interval=timedelta(seconds=given.epoch_s),
        recovery_config=RecoveryConfig(str(given.recovery)),  # type: ignore[no-untyped-call]  # Bytewax's
    )
    say("ended")


def say(line: str) -> None:
    """Tell the test; a pipe would hold a line back."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _arguments() -> Namespace:
    parser = ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("topic")
    parser.add_argument("recovery", type=Path)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--pause-s", type=float, default=0.0)
    parser.add_argument("--epoch-s", type=float, default=0.2)
    parser.add_argument("--library", choices=get_args(Library), default="kafka-python")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--member", type=int, default=0)
    parser.add_argument("--addresses", nargs="*", default=[])
    return parser.parse_args()


if __name__ == "__main__":
    main()
