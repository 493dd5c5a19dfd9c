"""What a run counts of outcomes, from what its references know."""

from pathlib import Path

import pytest

from detectors.performance.base import Task
from flows.config import Config, parse_config
from flows.performance import Performing
from flows.plan import make_plan
from state.generations import Generations
from state.outcome_layout import OutcomeLayoutError
from state.reference import Reference
from tests.flows.test_reference_outcomes import build, rows

TEXT = """
model: {name: m}
input: {path: events.jsonl}
time: {column: ts}
columns:
  p: {kind: categorical, role: prediction}
  s: {kind: numeric, role: score}
  i: {kind: categorical, role: id}
labels: {path: labels.jsonl, label: y, horizon: 3d, early: 5d, shards: 2}
windows: {daily: {size: 1d}}
performance: PERFORMANCE
"""


def config(performance: str = "{}") -> Config:
    return parse_config(TEXT.replace("PERFORMANCE", performance), folder=Path())


def part(reference: Reference, given: Config) -> Performing:
    def never(name: str, resume: bytes | None) -> None:
        raise AssertionError((name, resume))

    plan = make_plan(given, Generations((reference,)), ("events",), never)  # type: ignore[arg-type]  # not opened
    assert plan.performing is not None
    assert plan.widths == plan.performing.outcomes.layout.widths
    return plan.performing


def test_the_layout_is_the_one_that_the_reference_has_frozen(tmp_path: Path) -> None:
    reference = build(tmp_path, rows(2_000))
    assert reference.outcomes is not None
    found = part(reference, config())
    assert found.outcomes.layout == reference.outcomes.layout
    assert found.context.rules.metrics == ("accuracy", "f1", "roc_auc")
    expected = found.context.expected[reference.version]
    assert {name: metric.n for name, metric in expected.items()}["accuracy"] == reference.outcomes.rows


def test_without_labels_in_the_reference_its_predictions_name_the_classes(tmp_path: Path) -> None:
    reference = build(tmp_path, rows(2_000), None)
    found = part(reference, config("{baseline_metrics: {f1: .8}}"))
    assert found.outcomes.layout.task is Task.BINARY
    assert found.outcomes.layout.classes == ("no", "yes")
    expected = found.context.expected[reference.version]
    assert {name: metric.value for name, metric in expected.items()} == {"f1": 0.8}


def test_shards_send_outcomes_while_a_label_or_an_orphan_may_be_told(tmp_path: Path) -> None:
    found = part(build(tmp_path, rows(500)), config())
    assert found.origins == ("00", "01")
    assert found.horizon == 5
    assert found.key == "m/1/performance"


def test_other_settings_than_the_references_are_refused(tmp_path: Path) -> None:
    reference = build(tmp_path, rows(500))
    with pytest.raises(OutcomeLayoutError, match=f"reference {reference.version} has counted its own"):
        part(reference, config("{positive: 'no'}"))
