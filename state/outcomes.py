"""Predictions with their labels, counted so that performance can be read from sums that merge exactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from detectors.base import FloatArray, IntArray
from detectors.elementary import log
from detectors.performance.base import Task
from state.exact_sums import LARGEST, LIMBS, limbs
from state.joined import Count, Joined
from state.sketches.base import Sketch, empty, pane_lengths

BoolArray = NDArray[np.bool_]
"""Which rows are meant."""

OutcomePartial = tuple[str, int, int, tuple[tuple[int, int, bytes], ...], tuple[tuple[int, int], ...]]
"""What one batch, or one shard of a join, adds: origin, frontier, last pane, packed sketches, skipped panes.

A sketch comes behind the pane in which its labels became known and the pane of its predictions. The frontier
is the first *known* pane that the origin leaves open, `END` once it has ended. Skipped panes are half-open
ranges that a time-out closed for it.
"""


class Use(IntEnum):
    """What became of rows that have a label; their counters stand behind those of `Count`."""

    USED = len(Count)
    """Both sides hold a value that is known."""
    NO_PREDICTION = USED + 1
    NO_LABEL = USED + 2
    """The label's row came, and held no value."""
    UNKNOWN_PREDICTION = USED + 3
    """A class that the layout does not know."""
    UNKNOWN_LABEL = USED + 4
    OUT_OF_RANGE = USED + 5
    """Numbers too far from the reference's to be summed, or a score that is no probability."""


HEAD = len(Count) + len(Use)
"""Counters that every sketch of outcomes starts with."""

_PERCENT = np.arange(1, 100) / 100
_FINE = np.array([0.01 * 10.0 ** (-step / 8) for step in range(1, 33)])
SCORE_EDGES: FloatArray = np.concatenate([_FINE[::-1], _PERCENT, 1 - _FINE])
"""Upper edges of the bins of scores: whole per cents, and eight to a decade below .01 and above .99."""

SCORE_BINS = len(SCORE_EDGES) + 1

CALIBRATION_EDGES: FloatArray = np.linspace(0, 1, 11)[1:-1]
"""Upper edges of the bins over which calibration is read, but the last."""

CALIBRATION_BINS = len(CALIBRATION_EDGES) + 1

SCORE_SUMS = 4
"""Log loss, its square, and the second and fourth power of score minus label."""

FURTHEST = 2.0**19
"""Numeric labels and errors further than this many units from the reference's centre, or 0, are left out."""

RESIDUAL_SUMS = 10
INTERVAL_SUMS = 2
PERCENTAGE_SUMS = 2

_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeLayout:
    """What is counted of outcomes; frozen with the reference.

    Attributes
    ----------
    classes
        Names of the classes, sorted; empty for regression.
    positive
        Index of the positive class of two.
    scored, intervals
        Whether predictions come with a score of the positive class; with an interval.
    threshold
        Score from which on a row is predicted positive, where no column says it.
    center, unit
        Origin and scale of the fixed-point sums of regression; the unit is a power of two.
    segments
        Segments of each field by whose values rows are counted apart as well; a reference keeps its own
        beside the layout.
    """

    task: Task
    classes: tuple[str, ...] = ()
    positive: int = 1
    scored: bool = False
    intervals: bool = False
    threshold: float = 0.5
    center: float = 0.0
    unit: float = 1.0
    segments: tuple[int, ...] = ()

    @property
    def widths(self) -> tuple[int, int]:
        """Numbers in the payload of a prediction, and of a label."""
        if self.task is Task.REGRESSION:
            return (3 if self.intervals else 1) + len(self.segments), 1
        return (2 if self.scored else 1) + len(self.segments), 1

    @property
    def width(self) -> int:
        """Number of counters of a sketch."""
        if self.task is Task.REGRESSION:
            intervals = 2 + INTERVAL_SUMS * LIMBS if self.intervals else 0
            return HEAD + (RESIDUAL_SUMS + PERCENTAGE_SUMS) * LIMBS + 1 + intervals
        scores = 2 * SCORE_BINS + (SCORE_SUMS + CALIBRATION_BINS) * LIMBS if self.scored else 0
        return HEAD + len(self.classes) ** 2 + scores

    def sketches(
        self, known: IntArray, panes: IntArray, predictions: FloatArray, labels: FloatArray
    ) -> Iterator[tuple[int, int, Sketch]]:
        """Count labelled rows, for each pane in which labels became known and each pane of predictions.

        Parameters
        ----------
        known, panes
            Shape ``(rows,)``.
        predictions, labels
            Payloads, shapes ``(rows, width)``; see `widths`. Classes are indices, NaN is missing, and the
            number of classes stands for one that is not known. The last numbers of a prediction are the
            segments that its row belongs to.

        Yields
        ------
        known, pane, sketch
            In order.
        """
        order = np.lexsort((panes, known))
        known, panes = known[order], panes[order]
        change = (known[1:] != known[:-1]) | (panes[1:] != panes[:-1])
        starts = np.concatenate(([0], np.flatnonzero(change) + 1)) if len(order) else order
        predictions, labels = predictions[order], labels[order]
        counters = self._counted(predictions, labels, starts)
        split = self._by_segment(predictions, labels, starts)
        for i, (at, pane) in enumerate(zip(known[starts].tolist(), panes[starts].tolist(), strict=True)):
            yield at, pane, Sketch(counters[i], segments=None if split is None else split[i])

    def partial(self, origin: str, joined: Joined) -> OutcomePartial:
        """Count joined rows, and put the join's own counts beside them."""
        found = {
            (known, pane): sketch
            for known, pane, sketch in self.sketches(
                joined.known, joined.panes, joined.predictions, joined.labels
            )
        }
        for known, pane, counts in joined.counts:
            sketch = found.setdefault((known, pane), empty(self.width))
            sketch.counters[: len(Count)] += counts
        packed = tuple((*key, found[key].to_bytes()) for key in sorted(found))
        return origin, joined.upto, joined.last, packed, joined.skipped

    def _counted(self, predictions: FloatArray, labels: FloatArray, starts: IntArray) -> IntArray:
        """Count rows that are sorted by cell, from the first row of each cell; shape ``(cells, width)``."""
        counters = np.zeros((len(starts), self.width), dtype=np.int64)
        if len(starts):
            cell = np.repeat(np.arange(len(starts)), pane_lengths(starts, len(labels)))
            rows = _Rows(predictions, labels, starts, cell)
            if self.task is Task.REGRESSION:
                self._count_numbers(counters, rows)
            else:
                self._count_classes(counters, rows)
        return counters

    def _by_segment(self, predictions: FloatArray, labels: FloatArray, starts: IntArray) -> IntArray | None:
        """Count the same rows by segment as well, shape ``(cells, segments, width)``; None without any."""
        if not self.segments:
            return None
        found = np.zeros((len(starts), sum(self.segments), self.width), dtype=np.int64)
        cell = np.repeat(np.arange(len(starts)), pane_lengths(starts, len(labels)))
        first = 0
        for codes, size in zip(predictions.T[-len(self.segments) :], self.segments, strict=True):
            key = cell * size + codes.astype(np.int64)
            order = np.argsort(key, kind="stable")
            keys, begins = np.unique(key[order], return_index=True)
            found[keys // size, first + keys % size] = self._counted(
                predictions[order], labels[order], begins.astype(np.int64, copy=False)
            )
            first += size
        return found

    def _count_classes(self, counters: IntArray, rows: "_Rows") -> None:
        classes = len(self.classes)
        predicted, label = rows.predictions[:, 0], rows.labels[:, 0]
        rows.count(counters, Use.NO_LABEL, np.isnan(label))
        rows.count(counters, Use.NO_PREDICTION, np.isnan(predicted))
        rows.count(counters, Use.UNKNOWN_LABEL, label == classes)
        rows.count(counters, Use.UNKNOWN_PREDICTION, predicted == classes)
        # Comparing with NaN is false.
        used = (label < classes) & (predicted < classes)
        rows.count(counters, Use.USED, used)
        place = (rows.cell * classes**2)[used] + (label * classes + predicted)[used].astype(np.int64)
        table = np.bincount(place, minlength=len(counters) * classes**2)
        counters[:, HEAD : HEAD + classes**2] = table.reshape(len(counters), -1)
        if self.scored:
            self._count_scores(counters[:, HEAD + classes**2 :], counters, rows)

    def _count_scores(self, own: IntArray, counters: IntArray, rows: "_Rows") -> None:
        score, label = rows.predictions[:, 1], rows.labels[:, 0]
        known = label < len(self.classes)
        fits = (score >= 0) & (score <= 1)
        rows.count(counters, Use.OUT_OF_RANGE, ~fits & ~np.isnan(score))
        used = known & fits
        truth = (label == self.positive).astype(np.float64)
        bins = np.searchsorted(SCORE_EDGES, score[used], side="left")
        place = (rows.cell[used] * 2 + (truth[used] == 0)) * SCORE_BINS + bins
        table = np.bincount(place, minlength=len(counters) * 2 * SCORE_BINS)
        own[:, : 2 * SCORE_BINS] = table.reshape(len(counters), -1)
        given = np.where(used, score, 0.5)
        gap = np.where(used, given - truth, 0.0)
        loss = np.where(used, _log_loss(given, truth), 0.0)
        square = gap * gap
        sums = np.concatenate([limbs(each) for each in (loss, loss * loss, square, square * square)], axis=1)
        own[:, 2 * SCORE_BINS : 2 * SCORE_BINS + SCORE_SUMS * LIMBS] = rows.added(sums)
        groups = np.searchsorted(CALIBRATION_EDGES, given, side="left")
        gaps = np.zeros((len(score), CALIBRATION_BINS, LIMBS), dtype=np.int64)
        gaps[np.arange(len(score)), groups] = limbs(gap)
        own[:, 2 * SCORE_BINS + SCORE_SUMS * LIMBS :] = rows.added(gaps.reshape(len(score), -1))

    def _count_numbers(self, counters: IntArray, rows: "_Rows") -> None:
        predicted, label = rows.predictions[:, 0], rows.labels[:, 0]
        rows.count(counters, Use.NO_LABEL, np.isnan(label))
        rows.count(counters, Use.NO_PREDICTION, np.isnan(predicted))
        present = ~np.isnan(label) & ~np.isnan(predicted)
        with np.errstate(over="ignore", invalid="ignore"):
            error, around = (predicted - label) / self.unit, (label - self.center) / self.unit
            used = present & (np.abs(error) <= FURTHEST) & (np.abs(around) <= FURTHEST)
        rows.count(counters, Use.USED, used)
        rows.count(counters, Use.OUT_OF_RANGE, present & ~used)
        e, y = np.where(used, error, 0.0), np.where(used, around, 0.0)
        ee, yy = e * e, y * y
        powers = (e, np.abs(e), ee, ee * ee, y, yy, yy * y, yy * yy, ee * y, ee * yy)
        share, some = _percentage(predicted, label, used)
        sums = np.concatenate([limbs(each) for each in (*powers, share, share * share)], axis=1)
        end = HEAD + sums.shape[1]
        counters[:, HEAD:end] = rows.added(sums)
        rows.count(counters, end, some)
        if self.intervals:
            self._count_intervals(counters[:, end + 1 :], rows, used)

    def _count_intervals(self, own: IntArray, rows: "_Rows", used: BoolArray) -> None:
        low, high, label = rows.predictions[:, 1], rows.predictions[:, 2], rows.labels[:, 0]
        with np.errstate(over="ignore", invalid="ignore"):
            width = (high - low) / self.unit
            whole = used & (np.abs(width) <= FURTHEST)
        rows.count(own, 0, whole)
        rows.count(own, 1, whole & (low <= label) & (label <= high))
        wide = np.where(whole, width, 0.0)
        own[:, 2:] = rows.added(np.concatenate([limbs(wide), limbs(wide * wide)], axis=1))


@dataclass(frozen=True, slots=True)
class _Rows:
    """Labelled rows sorted by cell: payloads, the first row of each cell, and the cell of each row."""

    predictions: FloatArray
    labels: FloatArray
    starts: IntArray
    cell: IntArray

    def count(self, counters: IntArray, place: int, chosen: BoolArray) -> None:
        """Count chosen rows of each cell."""
        counters[:, place] += np.add.reduceat(chosen, self.starts, dtype=np.int64)

    def added(self, sums: IntArray) -> IntArray:
        """Add up rows of each cell, shape ``(cells, counters)``."""
        return np.add.reduceat(sums, self.starts, axis=0)


def _log_loss(score: FloatArray, truth: FloatArray) -> FloatArray:
    """Minus the logarithm of the probability of the truth, which is held off 0 and 1 as scikit-learn does."""
    given = np.clip(score, _EPSILON, 1 - _EPSILON)
    return -log(np.where(truth == 1, given, 1 - given))


def _percentage(predicted: FloatArray, label: FloatArray, used: BoolArray) -> tuple[FloatArray, BoolArray]:
    """Return ``|error / label|`` and which rows have one: not where the label is 0, or all but."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        share = np.abs((predicted - label) / label)
        some = used & (label != 0) & (share * share <= LARGEST)
    return np.where(some, share, 0.0), some
