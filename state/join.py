"""Joins predictions with labels that come later, or earlier: one shard of the ids."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np

from state.grid import END
from state.halves import Halves, HalvesPartial, Side, first_of_each, halves_from_bytes, no_halves, together
from state.id_table import IdTable
from state.joined import FROM_START, Count, Joined, JoinLimits, closed_spans
from state.panes import UnknownPartitionError
from state.sketches.base import pane_lengths

_COUNTS = len(Count)


class _State(msgspec.Struct, omit_defaults=True):
    upto: int
    frontiers: dict[str, tuple[int, int]]
    pending: list[tuple[int, str, str, bytes]]
    late: list[tuple[int, int, int]]
    waiting: bytes
    labelled: bytes
    early: bytes
    # By side; not in states of before.
    skipped: list[tuple[str, int, int]] = []


def rows_held(snapshot: bytes) -> tuple[int, int]:
    """Return how many predictions wait in a snapshot, and how many labels.

    Raises
    ------
    msgspec.DecodeError
        It is no snapshot of a join.
    """
    state = msgspec.msgpack.decode(snapshot, type=_State)
    return len(halves_from_bytes(state.waiting).ids), len(halves_from_bytes(state.early).ids)


class LabelJoin:
    """Holds halves until the other one comes or their time is over.

    Panes are worked off one after the other, once the frontiers of all partitions of both sides have passed
    them: first a pane's predictions, then its labels, each ordered by id, partition and place in the
    partition. So what comes out depends on the rows alone. Of an id that is held, the first prediction
    counts; of its labels the first one. When its horizon has passed, an id may come again.

    State is arrays: 17 bytes and 8 per number of the payload for a prediction that waits, 17 for one that has
    its label.
    """

    def __init__(
        self,
        partitions: Sequence[str],
        widths: tuple[int, int],
        limits: JoinLimits,
        resume: bytes | None = None,
    ) -> None:
        """Begin, or go on from what `snapshot` returned.

        Parameters
        ----------
        partitions
            Names of all partitions of both sides; those that are new since the snapshot must report.
        widths
            Numbers in the payload of a prediction, and of a label.
        """
        self._limits = limits
        self._widths = widths
        self._upto = -END
        self._frontiers: dict[str, tuple[int, int] | None] = dict.fromkeys(partitions)
        self._pending: dict[int, dict[tuple[str, str], list[Halves]]] = {}
        self._late: dict[tuple[int, int], int] = {}
        self._waiting, self._labelled, self._early = IdTable(widths[0]), IdTable(0), IdTable(widths[1])
        self._counts: dict[tuple[int, int], list[int]] = {}
        self._pairs: list[tuple[int, Halves, Halves]] = []
        self._skipped: set[tuple[str, int, int]] = set()
        if resume is not None:
            self._resume(msgspec.msgpack.decode(resume, type=_State))

    @property
    def waiting(self) -> tuple[int, int]:
        """Predictions that wait for a label, and labels that wait for a prediction."""
        return self._waiting.size, self._early.size

    @property
    def memory(self) -> int:
        """Bytes of the rows that are held, without those of panes that are still open."""
        return self._waiting.memory + self._labelled.memory + self._early.memory

    def add(self, partial: HalvesPartial) -> None:
        """Take the halves of one batch, rows sorted by pane.

        Raises
        ------
        UnknownPartitionError
            The partition is not one of those the run started with.
        """
        side, partition, frontier, last, data, late, skipped = partial
        if partition not in self._frontiers:
            raise UnknownPartitionError(
                f"found a batch of partition {partition!r}, wanted one of "
                f"{', '.join(sorted(self._frontiers))}: restart the run, so that all workers know it"
            )
        self._frontiers[partition] = (frontier, last)
        self._skipped.update((side, *span) for span in skipped)
        place = Count.LATE_PREDICTIONS if side == Side.PREDICTIONS else Count.LATE_LABELS
        for pane, count in late:
            self._add_late(pane, place, count)
        rows = halves_from_bytes(data)
        if side == Side.LABELS and self._upto < END:
            # A partition that appears in the middle of a run has labels of closed panes: known from now on.
            rows = replace(rows, panes=np.maximum(rows.panes, self._upto))
        panes, starts = np.unique(rows.panes, return_index=True)
        lengths = pane_lengths(starts, len(rows.ids))
        for pane, start, length in zip(panes.tolist(), starts.tolist(), lengths.tolist(), strict=True):
            if pane < self._upto:
                # Of a new partition too: windows do not count these predictions either.
                self._add_late(pane, place, length)
                continue
            held = self._pending.setdefault(pane, {})
            held.setdefault((side, partition), []).append(rows.take(slice(start, start + length)))

    def close(self) -> Joined | None:
        """Work off the panes that the low watermark has passed; None while it has not moved."""
        reported = [frontier for frontier in self._frontiers.values() if frontier is not None]
        if len(reported) < len(self._frontiers):
            return None
        upto = min(frontier for frontier, _ in reported)
        if upto <= self._upto:
            return None
        last = max(last for _, last in reported)
        for pane in sorted({*self._pending, *(pane for pane, _ in self._late)} - {FROM_START}):
            if pane < upto:
                self._work_off(pane, last)
        if upto == END and last > -END:
            self._add_labels(last, FROM_START)
        self._forget(upto, last)
        self._upto = upto
        return self._told(last)

    def snapshot(self) -> bytes:
        """Pack the state; the constructor goes on from it."""
        return msgspec.msgpack.encode(
            _State(
                upto=self._upto,
                frontiers={p: f for p, f in self._frontiers.items() if f is not None},
                pending=[
                    (pane, side, partition, together(parts).to_bytes())
                    for pane, held in sorted(self._pending.items())
                    for (side, partition), parts in sorted(held.items())
                ],
                late=[(*key, count) for key, count in sorted(self._late.items())],
                waiting=self._waiting.held().to_bytes(),
                labelled=self._labelled.held().to_bytes(),
                early=self._early.held().to_bytes(),
                skipped=sorted(self._skipped),
            )
        )

    def _resume(self, state: _State) -> None:
        self._upto = state.upto
        self._frontiers.update(state.frontiers)
        for pane, side, partition, data in state.pending:
            self._pending.setdefault(pane, {})[side, partition] = [halves_from_bytes(data)]
        self._late = {(pane, place): count for pane, place, count in state.late}
        self._waiting.add(halves_from_bytes(state.waiting))
        self._labelled.add(halves_from_bytes(state.labelled))
        self._early.add(halves_from_bytes(state.early))
        self._skipped.update(state.skipped)

    def _add_late(self, pane: int, place: Count, count: int) -> None:
        """Count rows that came too late in the first pane that is open."""
        key = (max(pane, self._upto), int(place))
        self._late[key] = self._late.get(key, 0) + count

    def _work_off(self, pane: int, last: int) -> None:
        self._forget(pane, last)
        for place in (Count.LATE_PREDICTIONS, Count.LATE_LABELS):
            self._count(pane, pane, place, self._late.pop((pane, int(place)), 0))
        if FROM_START in self._pending:
            self._add_labels(pane, FROM_START)
        self._add_predictions(pane)
        self._add_labels(pane, pane)
        self._keep_within_limits(pane)

    def _add_predictions(self, pane: int) -> None:
        rows, without_id, repeated = self._taken(pane, Side.PREDICTIONS)
        known = self._waiting.holds(rows.ids) | self._labelled.holds(rows.ids)
        new = rows.take(~known)
        self._count(pane, pane, Count.PREDICTIONS, len(new.ids))
        self._count(pane, pane, Count.REPEATED_PREDICTIONS, repeated + int(known.sum()))
        self._count(pane, pane, Count.PREDICTIONS_WITHOUT_ID, without_id)
        found, labels = self._early.take(new.ids)
        self._join(pane, new.take(found), labels)
        waits = np.ones(len(new.ids), dtype=np.bool_)
        waits[found] = False
        self._waiting.add(new.take(waits))

    def _add_labels(self, pane: int, waits_in: int) -> None:
        """Take the labels that wait under a pane; what is counted of them is counted in the present one."""
        rows, without_id, repeated = self._taken(waits_in, Side.LABELS)
        self._count(pane, pane, Count.LABELS, len(rows.ids) + repeated)
        self._count(pane, pane, Count.LABELS_WITHOUT_ID, without_id)
        known = self._labelled.holds(rows.ids) | self._early.holds(rows.ids)
        self._count(pane, pane, Count.REPEATED_LABELS, repeated + int(known.sum()))
        new = rows.take(~known)
        found, predictions = self._waiting.take(new.ids)
        self._join(pane, predictions, new.take(found))
        waits = np.ones(len(new.ids), dtype=np.bool_)
        waits[found] = False
        self._early.add(new.take(waits))

    def _taken(self, pane: int, side: Side) -> tuple[Halves, int, int]:
        """Take one side's rows of a pane out of those that are pending; see `first_of_each`."""
        held = self._pending.get(pane, {})
        parts = [rows for key in sorted(held) if key[0] == side for rows in held[key]]
        left = {key: rows for key, rows in held.items() if key[0] != side}
        if left:
            self._pending[pane] = left
        else:
            self._pending.pop(pane, None)
        if not parts:
            return no_halves(self._widths[side == Side.LABELS]), 0, 0
        return first_of_each(together(parts))

    def _join(self, pane: int, predictions: Halves, labels: Halves) -> None:
        """Join halves of the same ids, which become known in the present pane."""
        if not len(predictions.ids):
            return
        self._pairs.append((pane, predictions, labels))
        for made, count in Counter(predictions.panes.tolist()).items():
            self._count(pane, made, Count.LABELLED, count)
        self._labelled.add(Halves(predictions.ids, predictions.panes, predictions.payload[:, :0]))

    def _forget(self, pane: int, last: int) -> None:
        """Forget what nothing in this pane or a later one joins; without a time: the last pane of all."""
        horizon, early = self._limits.horizon, self._limits.early
        over = pane == END
        for made, count in self._waiting.forget(END if over else pane - horizon):
            self._count(made + horizon, made, Count.UNLABELLED, count)
        self._labelled.forget(END if over else pane - horizon)
        for made, count in self._early.forget(END if over else pane - early):
            if made == FROM_START:
                self._count(last, last, Count.ORPHANS, count)
            else:
                self._count(made + early, made, Count.ORPHANS, count)

    def _keep_within_limits(self, pane: int) -> None:
        most = self._limits.max_rows
        over = self._waiting.size + self._labelled.size - most
        if over > 0:
            self._labelled.forget_oldest(min(over, self._labelled.size))
        for made, count in self._waiting.forget_oldest(self._waiting.size - most):
            self._count(pane, made, Count.FORGOTTEN, count)
        timed = self._early.size - self._early.counts.get(FROM_START, 0)
        for made, count in self._early.forget_oldest(timed - most):
            self._count(pane, made, Count.ORPHANS, count)

    def _count(self, known: int, pane: int, place: Count, count: int) -> None:
        if count:
            counts = self._counts.get((known, pane))
            if counts is None:
                counts = self._counts[known, pane] = [0] * _COUNTS
            counts[place] += count

    def _told(self, last: int) -> Joined:
        """Hand over what has become known."""
        pairs, counts, upto, skipped = self._pairs, self._counts, self._upto, sorted(self._skipped)
        self._pairs, self._counts = [], {}
        self._skipped = {(side, max(start, upto), end) for side, start, end in skipped if end > upto}
        first = together([rows for _, rows, _ in pairs]) if pairs else no_halves(self._widths[0])
        second = together([rows for *_, rows in pairs]) if pairs else no_halves(self._widths[1])
        lengths = np.array([len(rows.ids) for _, rows, _ in pairs], dtype=np.int64)
        return Joined(
            upto=upto,
            last=last,
            known=np.repeat(np.array([pane for pane, *_ in pairs], dtype=np.int64), lengths),
            panes=first.panes,
            predictions=first.payload,
            labels=second.payload,
            counts=tuple((*key, tuple(counts[key])) for key in sorted(counts)),
            skipped=closed_spans(skipped, Side.PREDICTIONS, upto),
            skipped_labels=closed_spans(skipped, Side.LABELS, upto),
            waiting=self._waiting.size,
            early=self._early.size,
            memory=self.memory,
        )
