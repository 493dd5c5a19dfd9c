"""A topic holds the events of both reports of a model, each once and each in its order."""

from dataclasses import replace
from pathlib import Path

import pytest

from flows.engine import run
from flows.graph import Topics
from flows.kafka.base import KafkaSettings
from flows.kafka.connect import connect
from tests.contracts.kafka_broker import values_in
from tests.integration.label_stream import write_labelled
from tests.integration.results import outputs_in
from tests.integration.services import NewTopic
from tests.integration.stream import load_plan

RULES = "{classes: [accept, decline], positive: decline, baseline_metrics: {accuracy: .95}, min_rows: 50}"


@pytest.mark.parametrize("transactions", [True, False])
def test_both_reports_go_to_one_topic(
    tmp_path: Path, kafka_bootstrap: str, new_topic: NewTopic, *, transactions: bool
) -> None:
    stream, topic = write_labelled(tmp_path / "data", rows=3_000, files=2), new_topic(2)
    plan = load_plan(stream.config("topic", performance=RULES))
    topics = Topics(
        open_client=lambda: connect(KafkaSettings(bootstrap=kafka_bootstrap)),
        job=plan.model_key,
        transactions=transactions,
        events=topic,
        dead_letters=None,
        late_rows=None,
    )
    outputs = replace(outputs_in(tmp_path), topics=topics)
    assert run(plan, outputs)
    found = [value for at in (0, 1) for _, value, _ in values_in(kafka_bootstrap, topic, at) if value]
    assert outputs.performance is not None
    for path, mine in ((outputs.events, False), (outputs.performance, True)):
        lines = path.read_bytes().splitlines()
        assert lines
        assert [value for value in found if (b"io.driftflow.performance." in value) == mine] == lines
