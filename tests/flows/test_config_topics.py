"""Topics that would feed themselves are refused when the configuration is read."""

import pytest

from flows.config_values import ConfigError
from tests.flows.test_config import parsed

GOOD = """
model: {name: fraud}
input: {topics: [payments]}
time: {column: ts}
columns:
  amount: {kind: numeric}
  id: {kind: categorical, role: id}
  guess: {kind: categorical, role: prediction}
windows:
  hourly: {size: 1h}
labels: {topics: [refunds], label: real, time: {record: true}}
output:
  topics: {events: found, dead_letters: refused, late_rows: late}
alerts:
  channels:
    jobs: {type: kafka, topic: told}
"""


@pytest.mark.parametrize(
    ("good", "bad", "key", "used"),
    [
        ("events: found", "events: payments", "output.topics.events", "input.topics"),
        ("dead_letters: refused", "dead_letters: payments", "output.topics.dead_letters", "input.topics"),
        ("late_rows: late", "late_rows: refunds", "output.topics.late_rows", "labels.topics"),
        ("topic: told", "topic: payments", "alerts.channels.jobs.topic", "input.topics"),
        ("topic: told", "topic: found", "alerts.channels.jobs.topic", "output.topics.events"),
    ],
)
def test_what_is_read_or_holds_other_records_is_not_written(good: str, bad: str, key: str, used: str) -> None:
    assert parsed(GOOD).file.output.topics.events == "found"
    with pytest.raises(ConfigError) as refused:
        parsed(GOOD.replace(good, bad))
    assert all(each in str(refused.value) for each in (f"`{key}`", f"`{used}`", "wanted another topic"))


def test_results_may_share_a_topic() -> None:
    # As consumers tell them by their type.
    shared = GOOD.replace("late_rows: late", "late_rows: refused")
    assert parsed(shared).file.output.topics.late_rows == "refused"
