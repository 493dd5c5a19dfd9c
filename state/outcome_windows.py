"""Windows of predictions whose labels come later: each is told again as more of its labels are known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import msgspec

from state.grid import END, PanedWindow
from state.joined import Count
from state.outcomes import OutcomePartial
from state.panes import UnknownPartitionError
from state.sketches.base import Sketch, from_bytes, merge_all


class OutcomeWindow(NamedTuple):
    """One window of predictions, ``[start, end)`` in panes, with the labels known before pane `revision`.

    `final`: no later label counts. `partial`: it starts before the first pane of the stream, or ends behind
    its last one. `incomplete`: a time-out closed one of its panes, so predictions may be missing.
    """

    spec: int
    start: int
    end: int
    revision: int
    final: bool
    partial: bool
    sketch: Sketch
    incomplete: bool = False


class _State(msgspec.Struct):
    frontiers: dict[str, tuple[int, int]]
    upto: int
    dropped: int
    first: int | None
    cells: list[tuple[int, int, bytes]]
    held: list[tuple[int, bytes]]
    pending: list[tuple[int, int, int, bool]]
    skipped: list[tuple[int, int]] = []


@dataclass(slots=True)
class _Pending:
    """A window that is not final: the known pane before which it is told next, and whether it has changed."""

    due: int
    changed: bool = True


@dataclass(slots=True)
class OutcomeWindows:
    """Merges the outcomes of all origins, and tells windows as their labels become known.

    A window is told when its last pane has closed, then once per slide in which one of its labels became
    known, and for the last time when its horizon has passed. All this is read from panes, in their order,
    once every origin has passed them: so what is told does not depend on cut or interleaving, and a
    revision's number is that of a pane.

    Attributes
    ----------
    windows
        In the order of the configuration.
    horizon
        Panes after the one of its prediction in which a label still counts; 0: labels come with predictions.
    """

    windows: tuple[PanedWindow, ...]
    horizon: int
    frontiers: dict[str, tuple[int, int] | None]
    upto: int = -END
    dropped: int = 0
    first: int | None = None
    cells: dict[tuple[int, int], Sketch] = field(default_factory=dict)
    held: dict[int, Sketch] = field(default_factory=dict)
    pending: dict[tuple[int, int], _Pending] = field(default_factory=dict)
    skipped: set[tuple[int, int]] = field(default_factory=set)

    @classmethod
    def start(
        cls,
        origins: Sequence[str],
        windows: tuple[PanedWindow, ...],
        horizon: int,
        resume: bytes | None = None,
    ) -> "OutcomeWindows":
        """Begin, or go on from what `snapshot` returned; origins that are new since then must report."""
        found = cls(windows=windows, horizon=horizon, frontiers=dict.fromkeys(origins))
        if resume is None:
            return found
        state = msgspec.msgpack.decode(resume, type=_State)
        found.frontiers.update(state.frontiers)
        found.upto, found.dropped, found.first = state.upto, state.dropped, state.first
        found.cells = {(known, pane): from_bytes(data) for known, pane, data in state.cells}
        found.held = {pane: from_bytes(data) for pane, data in state.held}
        found.pending = {(spec, k): _Pending(due, changed) for spec, k, due, changed in state.pending}
        found.skipped = set(state.skipped)
        return found

    def add(self, partial: OutcomePartial) -> None:
        """Merge what one origin sends.

        Raises
        ------
        UnknownPartitionError
            The origin is not one of those the run started with.
        """
        origin, frontier, last, cells, skipped = partial
        if origin not in self.frontiers:
            raise UnknownPartitionError(
                f"found outcomes of {origin!r}, wanted one of {', '.join(sorted(self.frontiers))}: "
                "restart the run, so that all workers know it"
            )
        self.frontiers[origin] = (frontier, last)
        self.skipped.update(skipped)
        for known, pane, data in cells:
            sketch = from_bytes(data)
            if known < self.upto:
                # Only an origin that appeared when the run had begun brings these.
                late = sketch.counters[[Count.PREDICTIONS, Count.LATE_PREDICTIONS]]
                self.dropped += int(late.sum())
                continue
            held = self.cells.get((known, pane))
            self.cells[known, pane] = sketch if held is None else held.merge(sketch)

    def close(self) -> list[OutcomeWindow]:
        """Tell what is known behind the low watermark over all origins: ordered by revision, then by end."""
        reported = [each for each in self.frontiers.values() if each is not None]
        if len(reported) < len(self.frontiers):
            return []
        upto = min(frontier for frontier, _ in reported)
        if upto <= self.upto:
            return []
        self.upto = upto
        return list(self._close(max(last for _, last in reported)))

    def _close(self, last: int) -> Iterator[OutcomeWindow]:
        """Walk through known panes and due windows in the order of event time; what lies between is skipped.

        A stream that has ended tells each kind of window once more, as `Windows.add` does: the first one that
        ends behind the last pane, and none that only trails off.
        """
        closed = sorted(key for key in self.cells if key[0] < self.upto)
        self._count_dropped(closed)
        for known, keys in groupby(closed, key=itemgetter(0)):
            # What is due at a pane is told before that pane's labels.
            yield from self._tell(known, last)
            for key in keys:
                self._take(*key, self.cells.pop(key))
        if self.upto == END:
            self.pending = {
                key: each
                for key, each in self.pending.items()
                if self._span(*key)[0] - self.windows[key[0]].slide < last + 1
            }
        yield from self._tell(self.upto, last)
        self._forget()

    def _count_dropped(self, closed: list[tuple[int, int]]) -> None:
        if self.dropped and closed:
            sketch = self.cells[closed[0]]
            counters = sketch.counters.copy()
            counters[Count.LATE_PREDICTIONS] += self.dropped
            self.cells[closed[0]] = replace(sketch, counters=counters)
            self.dropped = 0

    def _take(self, known: int, pane: int, sketch: Sketch) -> None:
        """Merge what became known of a pane's predictions, and note the windows that it changes."""
        held = self.held.get(pane)
        self.held[pane] = sketch if held is None else held.merge(sketch)
        if sketch.rows:
            self.first = pane if self.first is None else min(self.first, pane)
        for window in self.windows:
            for k in range((pane - window.size) // window.slide + 1, pane // window.slide + 1):
                end = k * window.slide + window.size
                if known >= end + self.horizon:
                    continue
                waiting = self.pending.setdefault((window.index, k), _Pending(end))
                waiting.changed = True

    def _tell(self, upto: int, last: int) -> Iterator[OutcomeWindow]:
        """Tell windows due at or before a pane."""
        while True:
            due = min((each.due for each in self.pending.values()), default=END)
            if due > upto or due == END:
                return
            at = sorted((self._span(*key), key) for key, each in self.pending.items() if each.due == due)
            for (end, start), key in at:
                final = due == end + self.horizon
                waiting = self.pending.pop(key)
                if not final:
                    next_due = min(due + self.windows[key[0]].slide, end + self.horizon)
                    self.pending[key] = _Pending(next_due, changed=False)
                if final or waiting.changed:
                    sketches = [self.held[pane] for pane in self._panes(start, end)]
                    sketch = merge_all(sketches)
                    # Labels without a prediction are the join's to tell: they are no performance.
                    if sketch.rows and self.first is not None:
                        cut = start < self.first or end > last + 1
                        lacking = any(low < end and high > start for low, high in self.skipped)
                        yield OutcomeWindow(key[0], start, end, due, final, cut, sketch, lacking)

    def _panes(self, start: int, end: int) -> list[int]:
        if end - start < len(self.held):
            return [pane for pane in range(start, end) if pane in self.held]
        return sorted(pane for pane in self.held if start <= pane < end)

    def _span(self, spec: int, k: int) -> tuple[int, int]:
        """Return end and start of a window."""
        window = self.windows[spec]
        return k * window.slide + window.size, k * window.slide

    def _forget(self) -> None:
        """Forget panes that no window still to be told can hold."""
        oldest = min((self._span(*key)[1] for key in self.pending), default=END)
        self.held = {pane: sketch for pane, sketch in self.held.items() if pane >= oldest}
        # A window that has not begun to be told lies behind what has closed by its size at most.
        begun = min(oldest, self.upto) - max((window.size for window in self.windows), default=0)
        self.skipped = {(low, high) for low, high in self.skipped if high > begun}

    def snapshot(self) -> bytes:
        """Pack the state; `start` goes on from it."""
        return msgspec.msgpack.encode(
            _State(
                frontiers={o: f for o, f in self.frontiers.items() if f is not None},
                upto=self.upto,
                dropped=self.dropped,
                first=self.first,
                cells=[(*key, self.cells[key].to_bytes()) for key in sorted(self.cells)],
                held=[(pane, self.held[pane].to_bytes()) for pane in sorted(self.held)],
                pending=[(*key, w.due, w.changed) for key, w in sorted(self.pending.items())],
                skipped=sorted(self.skipped),
            )
        )
