"""Evidence blocks: disjoint runs of panes with enough rows to judge by, whatever the length of a pane."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from state.grid import END
from state.sketches.base import Sketch, from_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSpec:
    """When an evidence block is full.

    Attributes
    ----------
    rows
        Rows that it holds at least.
    panes
        Panes that it spans at least; this bounds how many blocks a span of time can have.
    """

    rows: int
    panes: int


class Block(NamedTuple):
    """One evidence block of one column: the rows of panes ``[start, end)``, in the bins of one generation."""

    start: int
    end: int
    sketch: Sketch
    generation: int = 0


class _State(msgspec.Struct):
    start: int
    last: int
    rows: int
    sketch: bytes


@dataclass(slots=True)
class Blocks:
    """Cuts the closed panes of one column and one generation of its reference into evidence blocks.

    A block begins with the first pane that has rows after the block before. It is full with the pane that
    brings its rows to the number wanted, once it spans the panes wanted. Rows are counted with those that
    hold no value, so all columns of a model have the same blocks. What is left at the end of a stream is too
    little to judge by, and is dropped.

    Windows of a stream overlap, and evidence from the same row twice is no evidence: so what is weighed over
    time comes from blocks, which share no row.
    """

    spec: BlockSpec
    generation: int = 0
    start: int = 0
    last: int = 0
    rows: int = 0
    sketch: Sketch | None = None

    @classmethod
    def begin(cls, spec: BlockSpec, generation: int = 0, resume: bytes | None = None) -> "Blocks":
        """Begin, or go on from what `snapshot` returned."""
        state = None if resume is None else msgspec.msgpack.decode(resume, type=_State | None)
        if state is None:
            return cls(spec, generation)
        return cls(spec, generation, state.start, state.last, state.rows, from_bytes(state.sketch))

    def add(self, panes: Sequence[tuple[int, Sketch]], upto: int) -> list[Block]:
        """Take closed panes in order; return the blocks that are full.

        Parameters
        ----------
        panes
            Closed since the last call, counted in the bins of the generation.
        upto
            Every pane before this one is closed; `END` for a stream that has ended.
        """
        full = list[Block]()
        for pane, sketch in panes:
            if not sketch.rows:
                continue
            # A block that has its rows ends where it has its panes, before any pane behind that.
            full += self._close(pane)
            if self.sketch is None:
                self.start, self.sketch = pane, sketch
            else:
                self.sketch = self.sketch.merge(sketch)
            self.last = pane
            self.rows += sketch.rows
            full += self._close(pane + 1)
        return full + self._close(upto if upto < END else self._end)

    def snapshot(self) -> bytes:
        """Pack the state; `begin` goes on from it."""
        if self.sketch is None:
            return msgspec.msgpack.encode(None)
        return msgspec.msgpack.encode(_State(self.start, self.last, self.rows, self.sketch.to_bytes()))

    @property
    def _end(self) -> int:
        return self.start + self.spec.panes

    def _close(self, upto: int) -> list[Block]:
        """Close the block where it is full and all its panes are closed.

        Where it ends depends on its rows and on the panes wanted alone, not on when it is looked at.
        """
        if self.sketch is None or self.rows < self.spec.rows or upto < self._end:
            return []
        block = Block(self.start, max(self._end, self.last + 1), self.sketch, self.generation)
        self.rows, self.sketch = 0, None
        return [block]
