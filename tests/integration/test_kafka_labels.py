"""Labels and predictions of topics are joined as those of files are."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from flows.commands.run_asked import RunAsked
from flows.commands.run_input import open_input, partition_lister
from flows.config import Config, load_config
from flows.doctor.findings import Health
from flows.doctor.labels import label_findings
from flows.hooks import Hooks
from flows.inline import run_inline
from flows.input import InputSet
from flows.kafka.base import KafkaSettings, OutgoingRecord, TopicPartition, UnknownTopicError
from flows.kafka.connect import connect
from tests.integration.label_stream import (
    LABELS,
    LabelledLayout,
    Told,
    hear,
    joined_at_once,
    totals,
    write_labelled,
)
from tests.integration.stream import load_plan

NewTopic = Callable[..., str]


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> LabelledLayout:
    return write_labelled(tmp_path_factory.mktemp("labelled") / "data", rows=2_500, files=2)


def put(bootstrap: str, topic: str, folder: Path) -> None:
    """Put each file of a folder into a partition of its own."""
    with closing(connect(KafkaSettings(bootstrap=bootstrap), "kafka-python")) as client:
        for place, path in enumerate(sorted(folder.iterdir())):
            with closing(client.writer(TopicPartition(topic, place), None)) as writer:
                writer.write(
                    [OutgoingRecord(key=None, value=line) for line in path.read_bytes().splitlines()]
                )


def config_of(stream: LabelledLayout, name: str, bootstrap: str, events: str | None, labels: str) -> Path:
    path = stream.config(name, batch_rows=97, labels=LABELS.replace("path: labels", f"topics: [{labels}]"))
    text = path.read_text() + f'kafka: {{bootstrap: "{bootstrap}"}}\n'
    given = "path: events" if events is None else f"topics: [{events}]"
    path.write_text(text.replace("path: events", f"{given}, until_end: true"))
    return path


def source_of(path: Path) -> Callable[[Config], InputSet]:
    return lambda config: open_input(config, RunAsked(config=path), None, Hooks())


@pytest.mark.parametrize("topics", [1, 2])
def test_topics_join_as_files_do(
    stream: LabelledLayout, kafka_bootstrap: str, new_topic: NewTopic, topics: int
) -> None:
    labels, events = new_topic(2), new_topic(2) if topics == 2 else None
    put(kafka_bootstrap, labels, stream.layout.folder / "labels")
    if events is not None:
        put(kafka_bootstrap, events, stream.layout.events)
    path = config_of(stream, f"topics-{topics}", kafka_bootstrap, events, labels)
    plan = load_plan(path, source_of(path))
    assert plan.label_partitions == (f"labels:{labels}/0", f"labels:{labels}/1")
    told: Told = {}
    run_inline(plan, lambda _: None, on_joined=hear(told))
    assert totals(told) == joined_at_once(load_plan(stream.config("files")))


def test_a_live_input_looks_for_partitions_of_both_sides(
    stream: LabelledLayout, kafka_bootstrap: str, new_topic: NewTopic
) -> None:
    labels, events = new_topic(1), new_topic(2)
    for given, wanted in (
        (events, [f"{events}/0", f"{events}/1", f"labels:{labels}/0"]),
        (None, ["labels:" + f"{labels}/0", "part-0.jsonl", "part-1.jsonl"]),
    ):
        path = config_of(stream, f"live-{given is None}", kafka_bootstrap, given, labels)
        path.write_text(path.read_text().replace("until_end: true", "until_end: false"))
        seen: list[InputSet] = []

        def source(config: Config, path: Path = path, seen: list[InputSet] = seen) -> InputSet:
            seen.append(source_of(path)(config))
            return seen[-1]

        plan = load_plan(path, source)
        listed = partition_lister(plan.config, seen[-1])
        assert seen[-1].endless
        assert listed is not None
        assert listed() == sorted(wanted) == list(plan.sources)
        seen[-1].close()


def test_files_of_labels_that_appear_later_are_seen(
    stream: LabelledLayout, kafka_bootstrap: str, new_topic: NewTopic, tmp_path: Path
) -> None:
    events = new_topic(1)
    (tmp_path / "monday.jsonl").touch()
    path = stream.config("folder", labels=LABELS.replace("path: labels", f"path: '{tmp_path}'"))
    text = path.read_text() + f'kafka: {{bootstrap: "{kafka_bootstrap}"}}\n'
    path.write_text(text.replace("path: events", f"topics: [{events}]"))
    config = load_config(path)
    source = source_of(path)(config)
    listed = partition_lister(config, source)
    source.close()
    assert listed is not None
    assert listed() == [f"{events}/0", "labels:monday.jsonl"]
    (tmp_path / "tuesday.jsonl").touch()
    assert listed() == [f"{events}/0", "labels:monday.jsonl", "labels:tuesday.jsonl"]


def test_a_topic_of_labels_that_is_not_there_is_named(stream: LabelledLayout, kafka_bootstrap: str) -> None:
    path = config_of(stream, "missing", kafka_bootstrap, None, "driftflow-no-such-topic")
    with pytest.raises(UnknownTopicError, match="driftflow-no-such-topic"):
        load_plan(path, source_of(path))


def test_the_doctor_looks_at_topics_of_labels(
    stream: LabelledLayout, kafka_bootstrap: str, new_topic: NewTopic
) -> None:
    labels = new_topic(2)
    put(kafka_bootstrap, labels, stream.layout.folder / "labels")
    config = load_config(config_of(stream, "doctor", kafka_bootstrap, None, labels))
    count = sum(len(path.read_bytes().splitlines()) for path in (stream.layout.folder / "labels").iterdir())
    told = [finding.text for finding in label_findings(config, {})]
    assert told == [f"2 partitions, {count:,} records", "1,000 records of 1,000 looked at can be used"]
    missing = load_config(config_of(stream, "doctor-missing", kafka_bootstrap, None, "driftflow-none"))
    (finding,) = label_findings(missing, {})
    assert (finding.health, "driftflow-none" in finding.text) == (Health.PROBLEM, True)
