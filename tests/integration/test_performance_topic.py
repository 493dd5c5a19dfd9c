"""A topic holds the events of all reports of a model, each once and each in its order."""

from dataclasses import replace
from pathlib import Path

import pytest

from flows.engine import run
from flows.graph import Topics
from flows.kafka.base import KafkaSettings
from flows.kafka.connect import connect
from tests.contracts.kafka_broker import values_in
from tests.integration.label_stream import keep_labelled_reference, write_labelled
from tests.integration.results import outputs_in
from tests.integration.services import NewTopic
from tests.integration.stream import load_plan

RULES = "{classes: [accept, decline], positive: decline, baseline_metrics: {accuracy: .95}, min_rows: 50}"


@pytest.mark.parametrize("transactions", [True, False])
def test_all_reports_go_to_one_topic(
    tmp_path: Path, kafka_bootstrap: str, new_topic: NewTopic, *, transactions: bool
) -> None:
    stream, topic = write_labelled(tmp_path / "data", rows=3_000, files=2), new_topic(2)
    keep_labelled_reference(stream, performance=RULES)
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
    by_path: dict[Path | None, list[bytes]] = {
        outputs.events: [],
        outputs.performance: [],
        outputs.errors: [],
    }
    for value in found:
        of_errors = outputs.errors if b'/wrong"' in value else outputs.events
        by_path[outputs.performance if b"io.driftflow.performance." in value else of_errors].append(value)
    for path, values in by_path.items():
        assert path is not None
        assert values
        assert values == path.read_bytes().splitlines()
