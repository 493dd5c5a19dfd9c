"""The join as a plain loop over all rows at once: what `state.join` is held to."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from state.grid import END
from state.joined import FROM_START, Count, JoinLimits


@dataclass(frozen=True, slots=True)
class Row:
    """One half: where it came from, and what it brings. `ident` 0 is no id."""

    label: bool
    partition: str
    pane: int
    ident: int
    value: float


@dataclass(slots=True)
class Batch:
    """Everything that a join should tell."""

    limits: JoinLimits
    pairs: list[tuple[int, int, float, float]] = field(default_factory=list)
    counts: dict[tuple[int, int], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0] * len(Count))
    )

    def count(self, known: int, pane: int, place: Count, number: int = 1) -> None:
        self.counts[known, pane][place] += number


def batch_join(rows: Iterable[Row], limits: JoinLimits) -> Batch:
    """Join rows of which none is late; those of one partition and pane in their order."""
    found = Batch(limits)
    everything = list(rows)
    panes = sorted({row.pane for row in everything} - {FROM_START})
    predictions: dict[int, tuple[int, float | None]] = {}
    early: dict[int, tuple[int, float]] = {}
    if not panes:
        return found
    start = [row for row in everything if row.pane == FROM_START]
    for pane in panes:
        _forget(found, predictions, early, pane)
        if pane == panes[0]:
            for row in _ordered(start):
                _take_label(found, predictions, early, row, pane)
        present = [row for row in everything if row.pane == pane]
        for row in _ordered(row for row in present if not row.label):
            _take_prediction(found, predictions, early, row)
        for row in _ordered(row for row in present if row.label):
            _take_label(found, predictions, early, row, pane)
        _cut(found, predictions, early, pane)
    for ident, (made, value) in predictions.items():
        if value is not None:
            found.count(made + limits.horizon, made, Count.UNLABELLED)
        assert ident
    for made, _ in early.values():
        timed = made != FROM_START
        known = made + limits.early if timed else panes[-1]
        found.count(known, made if timed else panes[-1], Count.ORPHANS)
    assert panes[-1] < END
    return found


def _ordered(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.ident, row.partition))


def _forget(
    found: Batch,
    predictions: dict[int, tuple[int, float | None]],
    early: dict[int, tuple[int, float]],
    pane: int,
) -> None:
    limits = found.limits
    for ident, (made, value) in list(predictions.items()):
        if made + limits.horizon < pane:
            del predictions[ident]
            if value is not None:
                found.count(made + limits.horizon, made, Count.UNLABELLED)
    for ident, (made, _) in list(early.items()):
        if made != FROM_START and made + limits.early < pane:
            del early[ident]
            found.count(made + limits.early, made, Count.ORPHANS)


def _take_prediction(
    found: Batch,
    predictions: dict[int, tuple[int, float | None]],
    early: dict[int, tuple[int, float]],
    row: Row,
) -> None:
    if not row.ident:
        found.count(row.pane, row.pane, Count.PREDICTIONS_WITHOUT_ID)
    elif row.ident in predictions:
        found.count(row.pane, row.pane, Count.REPEATED_PREDICTIONS)
    else:
        found.count(row.pane, row.pane, Count.PREDICTIONS)
        predictions[row.ident] = (row.pane, row.value)
        if row.ident in early:
            _, label = early.pop(row.ident)
            _pair(found, predictions, row.ident, label, row.pane)


def _take_label(
    found: Batch,
    predictions: dict[int, tuple[int, float | None]],
    early: dict[int, tuple[int, float]],
    row: Row,
    pane: int,
) -> None:
    if not row.ident:
        found.count(pane, pane, Count.LABELS_WITHOUT_ID)
        return
    found.count(pane, pane, Count.LABELS)
    held = predictions.get(row.ident)
    if row.ident in early or (held is not None and held[1] is None):
        found.count(pane, pane, Count.REPEATED_LABELS)
    elif held is not None:
        _pair(found, predictions, row.ident, row.value, pane)
    else:
        early[row.ident] = (row.pane, row.value)


def _pair(
    found: Batch, predictions: dict[int, tuple[int, float | None]], ident: int, label: float, pane: int
) -> None:
    made, value = predictions[ident]
    assert value is not None
    predictions[ident] = (made, None)
    found.pairs.append((pane, made, value, label))
    found.count(pane, made, Count.LABELLED)


def _cut(
    found: Batch,
    predictions: dict[int, tuple[int, float | None]],
    early: dict[int, tuple[int, float]],
    pane: int,
) -> None:
    most = found.limits.max_rows
    # Those with a label go first, then the oldest.
    order = sorted(predictions, key=lambda i: (predictions[i][1] is not None, predictions[i][0], i))
    for ident in order[: max(0, len(order) - most)]:
        made, value = predictions.pop(ident)
        if value is not None:
            found.count(pane, made, Count.FORGOTTEN)
    timed = sorted((made, ident) for ident, (made, _) in early.items() if made != FROM_START)
    for made, ident in timed[: max(0, len(timed) - most)]:
        del early[ident]
        found.count(pane, made, Count.ORPHANS)
