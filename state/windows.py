"""Tumbling and sliding windows as merges of closed panes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

import msgspec

from state.blocks import Block, Blocks, BlockSpec
from state.grid import END, PanedWindow
from state.panes import PanesClosed
from state.schedule import UNCHANGED, Schedule
from state.sketches.base import Sketch, from_bytes, merge_all


class ClosedWindow(NamedTuple):
    """One window of one column; covers panes ``[start, end)``.

    `partial`: it starts before the first pane of the stream, or ends behind the last one. `incomplete`: a
    time-out closed one of its panes for some partition, or rows of one were dropped (`PanesClosed.skipped`).
    `filled` are its panes with rows. `edge`: it holds the stream's first pane, or the last one of a stream
    that has ended, of which it is not known how much the stream covered.
    """

    spec: int
    start: int
    end: int
    sketch: Sketch
    partial: bool = False
    incomplete: bool = False
    filled: int = 0
    edge: bool = False


class EmptySpan(NamedTuple):
    """Windows without a single row, between two that have some: one message however many there are.

    `start` is the first of their panes, `end` the end of the last of them.
    """

    spec: int
    start: int
    end: int
    windows: int


Closed = ClosedWindow | EmptySpan

Told = Closed | Block
"""What a column sends on: windows, spans without rows, and blocks that evidence is made of."""

_BEFORE_WINDOWS = -1

_Ordered = tuple[tuple[int, int, int], Told]
"""A window behind its place in the order of all: end of the window that brought it, specification, turn."""


class _SpecState(msgspec.Struct):
    first: int | None
    next: int | None
    slices: list[tuple[int, bytes]]
    skipped: list[tuple[int, int]]
    # Not in version 1, whose slices were all of the first generation.
    later_slices: list[tuple[int, int, bytes]] = []
    # Not in version 2 either.
    filled: list[tuple[int, int]] = []


class _State(msgspec.Struct):
    rings: list[_SpecState]
    blocks: dict[int, bytes]


@dataclass(slots=True)
class _Ring:
    """The slices of one window specification, by place and generation of the reference.

    `first` is the first pane of the stream, `next` the first window that is not yet closed, `skipped` the
    ranges of panes that lack rows, or may, `filled` how many panes of a slice have rows.
    """

    window: PanedWindow
    schedule: Schedule
    slices: dict[tuple[int, int], Sketch]
    first: int | None = None
    next: int | None = None
    skipped: list[tuple[int, int]] = field(default_factory=list)
    filled: Counter[int] = field(default_factory=Counter)

    def add(self, pane: int, generation: int, sketch: Sketch) -> None:
        if self.first is None:
            self.first = pane
        generations = self._generations(pane) if self.schedule.later else range(1)
        if generation not in generations:
            # A longer kind of window needs it.
            return
        place = pane // self.window.slice_panes
        if sketch.rows and generation == generations.start:
            self.filled[place] += 1
        key = (place, generation)
        held = self.slices.get(key)
        self.slices[key] = sketch if held is None else held.merge(sketch)

    def _generations(self, pane: int) -> range:
        """Return the generations of this kind's windows that cover a pane."""
        size, slide = self.window.size, self.window.slide
        first, last = ((pane - size) // slide + 1) * slide, pane // slide * slide
        return range(self.schedule.of_window(first), self.schedule.of_window(last) + 1)

    def close(self, upto: int, last: int | None = None) -> list[_Ordered]:
        """Close the windows that end at or before a pane; `last`: the last pane of a stream that ended.

        An empty span is told only with the window that ends it: how far time had moved when it was looked at
        depends on how the stream was cut, where the next rows are does not.
        """
        window, closed = self.window, list[_Ordered]()
        while self.slices:
            first_row = min(self.slices)[0] * window.slice_panes
            k = (first_row - window.size) // window.slide + 1
            if self.next is not None:
                k = max(k, self.next)
            start, end = k * window.slide, k * window.slide + window.size
            if end > upto:
                break
            if self.next is not None and k > self.next:
                gap = EmptySpan(window.index, self.next * window.slide, end - window.slide, k - self.next)
                closed.append(((end, window.index, 0), gap))
            cut = (self.first is not None and start < self.first) or (last is not None and end > last + 1)
            edge = (self.first is not None and start <= self.first) or (last is not None and end > last)
            lacking = any(a < end and b > start for a, b in self.skipped)
            merged, filled = self._merged(start, end), self._filled(start, end)
            found = ClosedWindow(window.index, start, end, merged, cut, lacking, filled, edge)
            closed.append(((end, window.index, 1), found))
            self.next = k + 1
            self._forget_before(self.next * window.slide)
        self._forget_skipped(upto)
        return closed

    def _forget_before(self, start: int) -> None:
        """Keep what windows need that start at a pane or later."""
        place, generation = start // self.window.slice_panes, self.schedule.of_window(start)
        self.slices = {
            key: sketch for key, sketch in self.slices.items() if key[0] >= place and key[1] >= generation
        }
        self.filled = Counter({kept: panes for kept, panes in self.filled.items() if kept >= place})

    def skip(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Remember panes that lack rows; ranges that touch become one."""
        kept = list[tuple[int, int]]()
        for start, end in sorted([*self.skipped, *ranges]):
            if kept and start <= kept[-1][1]:
                kept[-1] = (kept[-1][0], max(kept[-1][1], end))
            else:
                kept.append((start, end))
        self.skipped = kept

    def _forget_skipped(self, upto: int) -> None:
        """Forget what no later window can hold: a window that is still to close ends behind `upto`."""
        self.skipped = [(start, end) for start, end in self.skipped if end > upto - self.window.size]

    def _merged(self, start: int, end: int) -> Sketch:
        panes = self.window.slice_panes
        generation = self.schedule.of_window(start)
        covered = ((place, generation) for place in range(start // panes, end // panes))
        return merge_all([self.slices[key] for key in covered if key in self.slices])

    def _filled(self, start: int, end: int) -> int:
        panes = self.window.slice_panes
        return sum(self.filled[place] for place in range(start // panes, end // panes))

    def last_end(self, last: int) -> int:
        """Return the first window end behind the last pane of a stream that has ended."""
        window = self.window
        return -(-(last + 1 - window.size) // window.slide) * window.slide + window.size


@dataclass(slots=True)
class Windows:
    """All windows of one column.

    Windows come out ordered by end, then by the order of the configuration, whatever the cut of the stream:
    so every column sends the same windows in the same order. An evidence block comes before the windows that
    end with it, so that they are judged by what it says.
    """

    rings: tuple[_Ring, ...]
    schedule: Schedule = UNCHANGED
    spec: BlockSpec | None = None
    blocks: dict[int, Blocks] = field(default_factory=dict)

    @classmethod
    def start(
        cls,
        windows: tuple[PanedWindow, ...],
        resume: bytes | None = None,
        *,
        schedule: Schedule = UNCHANGED,
        blocks: BlockSpec | None = None,
    ) -> "Windows":
        """Begin, or go on from what `snapshot` returned; `blocks` None: no evidence blocks are cut."""
        if resume is None:
            return cls(tuple(_Ring(window, schedule, {}) for window in windows), schedule, blocks)
        read = msgspec.msgpack.decode(resume, type=_State | list[_SpecState])
        # Version 1 was the list of rings.
        state = _State(rings=read, blocks={}) if isinstance(read, list) else read
        held = state.blocks if blocks is not None else {}
        return cls(
            tuple(
                _Ring(
                    window,
                    schedule,
                    dict(_unpacked(ring)),
                    ring.first,
                    ring.next,
                    ring.skipped,
                    Counter(dict(ring.filled)),
                )
                for window, ring in zip(windows, state.rings, strict=True)
            ),
            schedule,
            blocks,
            {of: Blocks.begin(blocks, of, data) for of, data in held.items()} if blocks is not None else {},
        )

    def add(self, message: PanesClosed) -> list[Told]:
        """Take closed panes, return the windows that end with them.

        A stream that has ended closes each kind of window once more: the first one that ends behind its last
        row, so that every row has been in a window, and none that only trails off.
        """
        for ring in self.rings:
            ring.skip(message.skipped)
            for pane, generation, sketch in message.panes:
                ring.add(pane, generation, sketch)
        if message.upto == END:
            last = message.last
            closed = list(chain.from_iterable(ring.close(ring.last_end(last), last) for ring in self.rings))
        else:
            closed = list(chain.from_iterable(ring.close(message.upto) for ring in self.rings))
        if self.spec is not None:
            closed += [
                ((block.end, _BEFORE_WINDOWS, block.generation), block)
                for block in self._cut(self.spec, message)
            ]
        return [found for _, found in sorted(closed, key=lambda item: item[0])]

    def _cut(self, spec: BlockSpec, message: PanesClosed) -> Iterator[Block]:
        """Cut evidence blocks, around a change of the reference in both generations.

        So the evidence that a window is judged by is that of its own reference, to its end.
        """
        panes: dict[int, list[tuple[int, Sketch]]] = {generation: [] for generation in self.blocks}
        for pane, generation, sketch in message.panes:
            # Evidence is never weighed by segment: they explain a drift, and raise no alarm.
            panes.setdefault(generation, []).append((pane, sketch.whole()))
        for generation, closed in sorted(panes.items()):
            held = self.blocks.setdefault(generation, Blocks.begin(spec, generation))
            yield from held.add(closed, message.upto)
        live = self.schedule.of_pane(message.upto).start
        self.blocks = {generation: held for generation, held in self.blocks.items() if generation >= live}

    def snapshot(self) -> bytes:
        """Pack the state; `start` goes on from it."""
        blocks = {generation: held.snapshot() for generation, held in sorted(self.blocks.items())}
        return msgspec.msgpack.encode(_State(rings=[_packed(ring) for ring in self.rings], blocks=blocks))


def _packed(ring: _Ring) -> _SpecState:
    slices = [(*key, ring.slices[key].to_bytes()) for key in sorted(ring.slices)]
    return _SpecState(
        first=ring.first,
        next=ring.next,
        slices=[(place, data) for place, generation, data in slices if generation == 0],
        skipped=ring.skipped,
        later_slices=[item for item in slices if item[1] > 0],
        filled=sorted(ring.filled.items()),
    )


def _unpacked(state: _SpecState) -> Iterator[tuple[tuple[int, int], Sketch]]:
    for place, data in state.slices:
        yield (place, 0), from_bytes(data)
    for place, generation, data in state.later_slices:
        yield (place, generation), from_bytes(data)
