"""Rows of predictions and labels as plain columns, for tests of outcomes."""

from dataclasses import dataclass, field

import numpy as np

from detectors.base import FloatArray, IntArray, Kind
from state.columns import Column
from state.joined import Count, Joined
from state.outcome_fields import OutcomeFields, Outcomes
from state.outcomes import OutcomeLayout, OutcomePartial
from state.sketches.base import from_bytes


@dataclass(frozen=True)
class Rows:
    """Columns as a decoder gives them."""

    numeric: dict[str, FloatArray] = field(default_factory=dict)
    categorical: dict[str, list[str | None]] = field(default_factory=dict)


def column(name: str, kind: Kind = Kind.NUMERIC) -> Column:
    return Column(name=name, path=name, kind=kind)


CLASS_FIELDS = OutcomeFields(
    prediction=column("predicted", Kind.CATEGORICAL),
    score=column("score"),
    label=column("label", Kind.CATEGORICAL),
)

NUMBER_FIELDS = OutcomeFields(
    prediction=column("predicted"), label=column("label"), low=column("low"), high=column("high")
)


def joined(outcomes: Outcomes, rows: Rows, known: IntArray, panes: IntArray, *, upto: int = 0) -> Joined:
    """Join rows that stand beside each other."""
    counts = np.unique(panes, return_counts=True)
    return Joined(
        upto=upto,
        last=int(panes.max(initial=0)),
        known=known,
        panes=panes,
        predictions=outcomes.prediction_payload(rows),
        labels=outcomes.label_payload(rows),
        counts=tuple(
            (pane, pane, (count, count, *(0 for _ in list(Count)[2:])))
            for pane, count in zip(*(each.tolist() for each in counts), strict=True)
        ),
    )


def total(layout: OutcomeLayout, *partials: OutcomePartial) -> IntArray:
    """Add up all sketches."""
    counters = np.zeros(layout.width, dtype=np.int64)
    for _, _, _, cells, _ in partials:
        for _, _, data in cells:
            counters += from_bytes(data).counters
    return counters
