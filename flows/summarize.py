"""The combiner: from the rows of a batch to one small partial per column."""

from collections.abc import Iterator, Sequence

import numpy as np

from detectors.base import IntArray
from flows.batch import Batch
from state.panes import Partial
from state.reference import FeatureReference
from state.sketches.base import LATE, Sketch, empty
from state.sketches.numeric import NumericBins


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
        packed = [
            (pane, sketch.to_bytes())
            for pane, sketch in zip(panes, _sketches(batch, feature, late), strict=True)
        ]
        packed += [(pane, _late_only(feature, count).to_bytes()) for pane, count in elsewhere.items()]
        yield (
            feature.column.name,
            (
                batch.partition,
                batch.frontier,
                batch.last,
                tuple(packed),
                batch.skipped,
            ),
        )


def _sketches(batch: Batch, feature: FeatureReference, late: IntArray) -> list[Sketch]:
    if not batch.rows:
        return []
    name, bins = feature.column.name, feature.bins
    if isinstance(bins, NumericBins):
        return bins.summarize(batch.numeric[name], batch.starts, late)
    return bins.summarize(batch.categorical[name], batch.starts, late)


def _late_only(feature: FeatureReference, count: int) -> Sketch:
    sketch = empty(feature.bins.width)
    sketch.counters[LATE] = count
    return sketch
