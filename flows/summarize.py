"""The combiner: from the rows of a batch to one small partial per column."""

from collections.abc import Iterator, Sequence

import numpy as np

from detectors.base import IntArray
from flows.batch import Batch
from flows.decode.base import Decoded
from state.panes import Partial
from state.reference import Bins, FeatureReference
from state.sketches.base import LATE, Sketch, empty
from state.sketches.numeric import NumericBins

_ONE_SPAN = np.zeros(1, dtype=np.int64)


def summarize(batch: Batch, features: Sequence[FeatureReference]) -> Iterator[tuple[str, Partial]]:
    """Summarize each watched column; rows stay here, counts go on.

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
    for feature in features:
        name = feature.column.name
        sketches = _sketches(name, feature.bins, batch, batch.starts, late) if panes else []
        packed = [(pane, sketch.to_bytes()) for pane, sketch in zip(panes, sketches, strict=True)]
        packed += [(pane, _late_only(feature, count).to_bytes()) for pane, count in elsewhere.items()]
        yield name, (batch.partition, batch.frontier, batch.last, tuple(packed), batch.skipped)


def whole_sketch(name: str, bins: Bins, decoded: Decoded) -> Sketch:
    """Summarize all rows of a decoded batch as one span; none is late."""
    return _sketches(name, bins, decoded, _ONE_SPAN, _ONE_SPAN)[0]


def _sketches(
    name: str, bins: Bins, columns: Batch | Decoded, starts: IntArray, late: IntArray
) -> list[Sketch]:
    if isinstance(bins, NumericBins):
        return bins.summarize(columns.numeric[name], starts, late)
    return bins.summarize(columns.categorical[name], starts, late)


def _late_only(feature: FeatureReference, count: int) -> Sketch:
    sketch = empty(feature.bins.width)
    sketch.counters[LATE] = count
    return sketch
