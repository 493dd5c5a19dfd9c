"""From the records of a batch to the partial of their track, beside those of the columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detectors.base import IntArray
from flows.batch import Batch, BatchRecords
from state.panes import Partial
from state.schedule import UNCHANGED, Schedule
from state.sketches.records import RECORDS, RecordLayout, Seen

_NOTHING = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSummary:
    """Counts whole records.

    Attributes
    ----------
    layouts
        One per generation of the reference.
    status
        The column that says how a request ended; None: there is none.
    is_error
        Whether such a text is an error.
    """

    layouts: Sequence[RecordLayout]
    schedule: Schedule = UNCHANGED
    status: str | None = None
    is_error: Callable[[str], bool] = lambda _: False

    def summarize(self, batch: Batch) -> tuple[str, Partial] | None:
        """Summarize a batch; None where it has nothing to tell, like a column."""
        if batch.quiet:
            return None
        # The batch that ends a partition has no records, but its frontier.
        records = batch.records or BatchRecords(keys=_NOTHING)
        seen = self._of_rows(batch, records)
        for pane in {*batch.late, *records.refused} - set(seen):
            seen[pane] = Seen(late=batch.late.get(pane, 0), refused=records.refused.get(pane, {}))
        packed = tuple(
            (pane, generation, self.layouts[generation].sketch(seen[pane]).to_bytes())
            for pane in sorted(seen)
            for generation in self.schedule.of_pane(pane)
        )
        return RECORDS, (batch.partition, batch.frontier, batch.last, packed, batch.skipped)

    def _of_rows(self, batch: Batch, records: BatchRecords) -> dict[int, Seen]:
        """Count the records of each pane that has rows."""
        statuses, errors = self._ended(batch)
        borders = [*batch.starts.tolist(), batch.rows]
        return {
            pane: Seen(
                rows=end - start,
                late=batch.late.get(pane, 0),
                keys=records.keys[start:end],
                refused=records.refused.get(pane, {}),
                fields=records.fields.get(pane, {}),
                statuses=int(np.count_nonzero(statuses[start:end])),
                errors=int(np.count_nonzero(errors[start:end])),
            )
            for pane, start, end in zip(batch.panes.tolist(), borders, borders[1:], strict=False)
        }

    def _ended(self, batch: Batch) -> tuple[IntArray, IntArray]:
        """Return which rows have a status, and which an error, as 0 and 1, shape ``(rows,)``."""
        if self.status is None or not batch.rows:
            return _NOTHING, _NOTHING
        texts = batch.categorical[self.status]
        kinds: Mapping[str | None, int] = {
            text: 0 if text is None else 2 if self.is_error(text) else 1 for text in set(texts)
        }
        found = np.fromiter(map(kinds.__getitem__, texts), dtype=np.int64, count=len(texts))
        return (found > 0).astype(np.int64), (found > 1).astype(np.int64)
