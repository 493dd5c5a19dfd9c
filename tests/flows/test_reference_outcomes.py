"""A reference measures the performance of its own rows, where they have labels."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from detectors.base import Kind
from flows.input import file_input
from flows.reference_build import build_reference
from state.columns import Column, Role
from state.outcome_fields import OutcomeFields
from state.outcome_layout import OutcomeSpec
from state.reference import BadReferenceError, Reference, load

PREDICTED = Column(name="p", path="p", kind=Kind.CATEGORICAL, role=Role.PREDICTION)
SCORE = Column(name="s", path="s", kind=Kind.NUMERIC, role=Role.SCORE)
LABEL = Column(name="y", path="y", kind=Kind.CATEGORICAL, role=Role.LABEL)
SPEC = OutcomeSpec(fields=OutcomeFields(prediction=PREDICTED, score=SCORE, label=LABEL))


def rows(count: int) -> list[dict[str, object]]:
    rng = np.random.default_rng(4)
    truth = rng.random(count) < 0.4
    score = np.round(rng.beta(np.where(truth, 3, 1), 2), 2)
    return [
        {"p": "yes" if s >= 0.5 else "no", "s": s, "y": None if i % 10 == 0 else ("yes" if t else "no")}
        for i, (s, t) in enumerate(zip(score.tolist(), truth.tolist(), strict=True))
    ]


def build(folder: Path, given: list[dict[str, object]], spec: OutcomeSpec | None = SPEC) -> Reference:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in given))
    columns = (PREDICTED, SCORE, LABEL)
    source = file_input(path, columns=columns, time=None)
    return build_reference(source, columns[:2], model="m", now_ms=0, outcomes=spec).reference


def test_metrics_are_those_of_the_labelled_rows(tmp_path: Path) -> None:
    given = rows(20_000)
    outcomes = build(tmp_path, given).outcomes
    assert outcomes is not None
    labelled = [row for row in given if row["y"] is not None]
    assert outcomes.rows == len(labelled)
    found = {metric.name: metric.value for metric in outcomes.metrics}
    truth = [row["y"] == "yes" for row in labelled]
    scores = [row["s"] for row in labelled]
    right = [row["y"] == row["p"] for row in labelled]
    assert found["accuracy"] == sum(right) / len(right)
    # Scores of two digits fill the bins alone.
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(truth, scores), rel=1e-9)
    assert found["brier"] == pytest.approx(metrics.brier_score_loss(truth, scores), rel=1e-9)


def test_they_are_part_of_what_is_stored_and_of_the_name(tmp_path: Path) -> None:
    reference = build(tmp_path, rows(500))
    read = load(reference.stored())
    assert read.outcomes is not None
    assert reference.outcomes is not None
    assert read.outcomes.layout == reference.outcomes.layout
    assert read.outcomes.metrics == reference.outcomes.metrics
    assert read.version != build(tmp_path, rows(500), None).version


def test_without_labels_nothing_is_known(tmp_path: Path) -> None:
    unlabelled = [{**row, "y": None} for row in rows(50)]
    reference = build(tmp_path, unlabelled)
    assert reference.outcomes is None
    assert reference.version == build(tmp_path, unlabelled, None).version


def test_a_reference_that_cannot_be_built_says_so_first(tmp_path: Path) -> None:
    with pytest.raises(BadReferenceError, match="no good row"):
        build(tmp_path, [])
