"""Errors of joined rows are counted where their labels became known, if the reference has any."""

import json
from pathlib import Path

import numpy as np

from flows.config import Config, parse_config
from flows.error_watch import ErrorWatch
from flows.input import file_input
from flows.plan import make_plan
from flows.reference_build import build_reference
from state.generations import Generations
from state.joined import Joined
from state.reference import Reference
from state.sketches.base import from_bytes
from tests.flows.test_reference_outcomes import rows

TEXT = """
model: {name: m}
input: {path: events.jsonl}
time: {column: ts}
columns:
  p: {kind: categorical, role: prediction}
  s: {kind: numeric, role: score}
  i: {kind: categorical, role: id}
labels: {path: labels.jsonl, label: y, horizon: 3d, shards: 2}
windows: {daily: {size: 1d}}
detection: DETECTION
performance: {}
"""


def config(detection: str = "{}") -> Config:
    return parse_config(TEXT.replace("DETECTION", detection), folder=Path())


def reference(folder: Path, *, labelled: bool = True) -> Reference:
    given = config()
    path = folder / "rows.jsonl"
    lines = [row | {"i": "a"} | ({} if labelled else {"y": None}) for row in rows(2_000)]
    path.write_text("".join(json.dumps(row) + "\n" for row in lines))
    source = file_input(path, columns=given.reference_fields, time=None, derived=given.late_errors)
    assert given.performance is not None
    errors = tuple(column for made in given.late_errors for column in made.columns)
    return build_reference(
        source, given.tracks, model="m", now_ms=0, errors=errors, outcomes=given.performance.spec
    ).reference


def watch(of: Reference, given: Config) -> ErrorWatch | None:
    def never(name: str, resume: bytes | None) -> None:
        raise AssertionError((name, resume))

    plan = make_plan(given, Generations((of,)), ("events",), never)  # type: ignore[arg-type]  # not opened
    assert plan.performing is not None
    return plan.performing.errors


def joined() -> Joined:
    """Of classes no and yes: right, wrong and right, without a label, of a class that is not known."""
    return Joined(
        upto=6,
        last=7,
        known=np.array([4, 5, 5, 5, 5]),
        panes=np.array([3, 3, 4, 4, 5]),
        predictions=np.array([[0.0, 0.1], [1.0, 0.9], [0.0, 0.2], [1.0, 0.8], [1.0, 0.7]]),
        labels=np.array([[0.0], [0.0], [0.0], [np.nan], [2.0]]),
        counts=(),
        skipped=((1, 2),),
        skipped_labels=((3, 4),),
    )


def test_errors_stand_in_the_pane_in_which_their_label_became_known(tmp_path: Path) -> None:
    found = watch(reference(tmp_path), config())
    assert found is not None
    ((key, (origin, frontier, last, cells, skipped)),) = found.of_joined("00", joined())
    assert (key, origin, frontier, last) == ("m/1/errors", "00", 6, 7)
    counts = {}
    for pane, generation, data in cells:
        assert generation == 0
        summary = found.features[0].bins.summary(from_bytes(data))
        counts[pane] = (from_bytes(data).rows, summary.n)
    assert counts == {4: (1, 1), 5: (4, 3)}
    # Whichever side a time-out keeps from, errors may lack there.
    assert sorted(skipped) == [(1, 2), (3, 4)]


def test_the_budget_is_that_of_one_column(tmp_path: Path) -> None:
    given = config()
    found = watch(reference(tmp_path), given)
    assert found is not None
    assert found.context.features == ("wrong",)
    assert found.context.alarms.budget.columns == 1
    assert len(given.columns) > 1


def test_a_limit_of_a_score_holds_for_errors_too(tmp_path: Path) -> None:
    found = watch(reference(tmp_path), config("{rule: threshold}"))
    assert found is not None
    assert found.watched is not None
    assert set(found.watched.columns) == {"wrong"}
    assert found.blocks is None


def test_without_errors_in_the_reference_nothing_is_watched(tmp_path: Path) -> None:
    assert watch(reference(tmp_path, labelled=False), config()) is None
