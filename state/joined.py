"""What a join is told, and what it tells: limits, counts and joined rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from detectors.base import FloatArray, IntArray
from state.grid import END

FROM_START = END - 1
"""Pane of labels that have no time: known before the first prediction, and never forgotten."""


class Count(IntEnum):
    """What is counted of both sides; the first six by the prediction's pane, the others by the label's."""

    PREDICTIONS = 0
    """First predictions of an id: each ends as one of the next three."""
    LABELLED = 1
    UNLABELLED = 2
    """No label came within the horizon."""
    FORGOTTEN = 3
    """Given up because the shard held more than it may."""
    REPEATED_PREDICTIONS = 4
    PREDICTIONS_WITHOUT_ID = 5
    LABELS = 6
    """Rows with an id: each was joined, repeated or an orphan in the end."""
    ORPHANS = 7
    """No prediction came within `early`, or the shard held more than it may."""
    REPEATED_LABELS = 8
    LABELS_WITHOUT_ID = 9
    LATE_PREDICTIONS = 10
    LATE_LABELS = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinLimits:
    """How long halves wait, in panes, and how many.

    Attributes
    ----------
    horizon
        A label counts up to so many panes after the one of its prediction.
    early
        A label waits for its prediction so many panes after its own.
    max_rows
        Most predictions that one shard holds, and most early labels. Of more the oldest are given up:
        predictions that have their label first, which are held to know what is repeated.
    """

    horizon: int
    early: int
    max_rows: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Joined:
    """What became known in the panes that closed.

    Attributes
    ----------
    upto
        Everything that becomes known before this pane is told; `END` once all partitions have ended.
    last
        The last pane that any partition reached.
    known
        Pane in which each pair became known, shape ``(rows,)``.
    panes
        Pane of its prediction, shape ``(rows,)``.
    predictions, labels
        Payloads of both sides, shapes ``(rows, width)``.
    counts
        Known pane, pane of the row that is counted, and one number for each of `Count`; in order.
    skipped, skipped_labels
        Ranges of panes before `upto` that a time-out closed for a partition of predictions, and of labels:
        they may lack rows. Half-open, in order.
    waiting, early
        Predictions that wait for a label now, and labels that wait for a prediction.
    memory
        Bytes of the rows that are held now.
    """

    upto: int
    last: int
    known: IntArray
    panes: IntArray
    predictions: FloatArray
    labels: FloatArray
    counts: tuple[tuple[int, int, tuple[int, ...]], ...]
    skipped: tuple[tuple[int, int], ...] = ()
    skipped_labels: tuple[tuple[int, int], ...] = ()
    waiting: int = 0
    early: int = 0
    memory: int = 0


def closed_spans(
    skipped: Iterable[tuple[str, int, int]], side: str, upto: int
) -> tuple[tuple[int, int], ...]:
    """Return one side's spans of skipped panes as far as they lie before a pane."""
    return tuple((start, min(end, upto)) for of, start, end in skipped if of == side and start < upto)
