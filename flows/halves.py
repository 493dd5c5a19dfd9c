"""From the rows of a batch to the halves that each shard of the join takes."""

from collections.abc import Iterator

import numpy as np

from detectors.base import FloatArray
from flows.batch import Batch
from flows.sections.labels import ID, Labels
from state.halves import Halves, HalvesPartial, Side, hash_ids, sharded
from state.sketches.base import pane_lengths


def shard_names(shards: int) -> tuple[str, ...]:
    """Name the shards: keys of the join's state."""
    return tuple(f"{shard:02d}" for shard in range(shards))


def halves(batch: Batch, labels: Labels, payload: FloatArray) -> Iterator[tuple[str, HalvesPartial]]:
    """Deal the rows of a batch to the shards of their ids.

    Parameters
    ----------
    payload
        What each row brings, shape ``(rows, width)``.

    Yields
    ------
    shard, partial
        One per shard, unless the batch has nothing to tell. Without rows it still carries the frontier; late
        rows and skipped panes are told to the first.
    """
    if batch.quiet:
        return
    column = ID if batch.side is Side.LABELS else labels.prediction_id
    # The batch that ends a partition has no columns.
    ids = hash_ids(batch.categorical[column] if batch.rows else ())
    panes = np.repeat(batch.panes, pane_lengths(batch.starts, batch.rows))
    late, skipped = tuple(sorted(batch.late.items())), batch.skipped
    parts = sharded(Halves(ids, panes, payload), labels.shards)
    for shard, part in zip(shard_names(labels.shards), parts, strict=True):
        yield (
            shard,
            (str(batch.side), batch.partition, batch.frontier, batch.last, part.to_bytes(), late, skipped),
        )
        late, skipped = (), ()
