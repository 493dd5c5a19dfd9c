"""The combiner: from the rows of a batch to one small partial per column."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from detectors.base import IntArray
from flows.batch import Batch
from flows.decode.base import Decoded
from state.panes import Partial
from state.reference import Bins, FeatureReference
from state.schedule import UNCHANGED, Schedule
from state.segments import Segments
from state.sketches.base import LATE, Sketch, empty
from state.sketches.numeric import NumericBins
from state.sketches.segments import SegmentRows

ONE_SPAN = np.zeros(1, dtype=np.int64)
"""Starts of the panes of rows that are in one."""

_PANES_AT_ONCE = 512
"""Panes whose segments are counted together: a batch of a row a pane must not take memory for all of them."""


def summarize(
    batch: Batch,
    generations: Sequence[Sequence[FeatureReference]],
    schedule: Schedule = UNCHANGED,
    segments: Sequence[Segments] = (),
) -> Iterator[tuple[str, Partial]]:
    """Summarize each watched column; rows stay here, counts go on.

    Rows of panes that windows of two generations cover are counted in the bins of both.

    Parameters
    ----------
    generations
        The watched columns of each generation of the schedule, in the same order.
    segments
        By what rows are counted apart, for each generation; empty: by nothing.

    Yields
    ------
    name, partial
        One per column, unless the batch has nothing to tell. Without rows it still carries the frontier.
    """
    if batch.quiet:
        return
    panes = batch.panes.tolist()
    late = np.array([batch.late.get(pane, 0) for pane in panes], dtype=np.int64)
    elsewhere = {pane: count for pane, count in batch.late.items() if pane not in set(panes)}
    spans = list(_spans(batch, schedule, segments)) if panes else []
    for features in zip(*generations, strict=True):
        name = features[0].column.name
        packed = []
        for generation, start, end, part, rows in spans:
            bins = features[generation].bins
            sketches = _sketches(name, bins, part, part.starts, late[start:end], rows)
            packed += [
                (pane, generation, sketch.to_bytes())
                for pane, sketch in zip(panes[start:end], sketches, strict=True)
            ]
        for pane, count in elsewhere.items():
            packed += [(pane, g, _late_only(features[g], count).to_bytes()) for g in schedule.of_pane(pane)]
        yield name, (batch.partition, batch.frontier, batch.last, tuple(packed), batch.skipped)


def _spans(
    batch: Batch, schedule: Schedule, segments: Sequence[Segments]
) -> Iterator[tuple[int, int, int, Batch, SegmentRows | None]]:
    """Give each generation with the panes that it summarizes, their rows, and the segments of these."""
    for generation, start, end in schedule.spans(batch.panes):
        if not segments:
            yield generation, start, end, _part(batch, start, end), None
            continue
        for low, high in pairwise([*range(start, end, _PANES_AT_ONCE), end]):
            part = _part(batch, low, high)
            yield generation, low, high, part, segments[generation].rows(part.categorical, part.starts)


def _part(batch: Batch, start: int, end: int) -> Batch:
    """Return the rows of some of a batch's panes, given by the half-open span of their indices."""
    if (start, end) == (0, len(batch.panes)):
        return batch
    first = int(batch.starts[start])
    last = batch.rows if end == len(batch.panes) else int(batch.starts[end])
    return replace(
        batch,
        rows=last - first,
        panes=batch.panes[start:end],
        starts=batch.starts[start:end] - first,
        numeric={name: values[first:last] for name, values in batch.numeric.items()},
        categorical={name: values[first:last] for name, values in batch.categorical.items()},
    )


def whole_sketch(name: str, bins: Bins, decoded: Decoded, rows: SegmentRows | None = None) -> Sketch:
    """Summarize all rows of a decoded batch as one span; none is late."""
    return _sketches(name, bins, decoded, ONE_SPAN, ONE_SPAN, rows)[0]


def _sketches(
    name: str,
    bins: Bins,
    columns: Batch | Decoded,
    starts: IntArray,
    late: IntArray,
    rows: SegmentRows | None,
) -> list[Sketch]:
    if isinstance(bins, NumericBins):
        return bins.summarize(columns.numeric[name], starts, late, rows)
    return bins.summarize(columns.categorical[name], starts, late, rows)


def _late_only(feature: FeatureReference, count: int) -> Sketch:
    sketch = empty(feature.bins.width)
    sketch.counters[LATE] = count
    return sketch
