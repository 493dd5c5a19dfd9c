"""Sketches of categorical columns: counts of the categories that the reference froze."""

from dataclasses import dataclass, field
from itertools import compress, repeat

import numpy as np

from detectors.base import IntArray, Kind, Summary
from state.sketches.base import (
    HEADER,
    LATE,
    MISSING,
    NAME_LENGTH,
    ROWS,
    Names,
    Sketch,
    name_hash,
    pane_lengths,
    sample_names,
)
from state.sketches.segments import SegmentRows, attached


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Categories:
    """How a categorical column is summarized: frozen with the reference.

    Attributes
    ----------
    names
        The reference's most frequent categories, most frequent first.
    rare
        Its other categories, counted together as "other"; sorted.
    complete
        Whether `names` and `rare` hold every category of the reference. Where there were too many to keep, a
        name that is not known may still not be new, and is counted as "other".
    groups
        Coarse group of each name, of "other" and of "new", shape ``(len(names) + 2,)``.
    """

    names: tuple[str, ...]
    rare: tuple[str, ...]
    complete: bool
    groups: IntArray
    _codes: dict[str | None, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = len(self.names)
        codes: dict[str | None, int] = dict.fromkeys(self.rare, known)
        codes.update((name, i) for i, name in enumerate(self.names))
        codes[None] = known + 2
        object.__setattr__(self, "_codes", codes)

    @property
    def kind(self) -> Kind:
        """Categorical."""
        return Kind.CATEGORICAL

    @property
    def other(self) -> int:
        """Bin of the reference's rare categories."""
        return len(self.names)

    @property
    def new(self) -> int:
        """Bin of the categories that the reference never saw."""
        return len(self.names) + 1

    @property
    def bins(self) -> int:
        """Number of names, and two."""
        return len(self.names) + 2

    @property
    def width(self) -> int:
        """Number of counters of a sketch: header and counts."""
        return HEADER + self.bins

    def label(self, place: int) -> str:
        """Return the name of a bin, for people."""
        return self.names[place] if place < len(self.names) else ("(other)", "(new)")[place - len(self.names)]

    def summarize(
        self,
        values: list[str | None],
        starts: IntArray,
        late: IntArray,
        segments: SegmentRows | None = None,
    ) -> list[Sketch]:
        """Summarize rows that are sorted by pane; parameters as for numeric columns, None is missing."""
        panes, cells = len(starts), self.bins + 1
        codes = self._coded(values)
        lengths = pane_lengths(starts, len(values))
        pane = np.repeat(np.arange(panes), lengths)
        table = np.bincount(codes + pane * cells, minlength=panes * cells).reshape(panes, cells)
        counters = np.zeros((panes, self.width), dtype=np.int64)
        counters[:, ROWS] = lengths
        counters[:, LATE] = late
        counters[:, MISSING] = table[:, -1]
        counters[:, HEADER:] = table[:, :-1]
        split = None if segments is None else segments.count(self._cells(codes), self.width)
        if not table[:, self.new].any():
            return attached([Sketch(row) for row in counters], split)
        ends = [*starts[1:].tolist(), len(values)]
        sketches = [
            Sketch(row, names=self._new_names(values[start:end], codes[start:end]))
            for row, start, end in zip(counters, starts.tolist(), ends, strict=True)
        ]
        return attached(sketches, split)

    def _cells(self, codes: IntArray) -> IntArray:
        """Return the counter of each row, from its code; same shape."""
        return np.where(codes == self.bins, MISSING, codes + HEADER)

    def places(self, values: list[str | None]) -> IntArray:
        """Return the bin of each value, -1 where it is missing; shape ``(rows,)``."""
        codes = self._coded(values)
        codes[codes == self.bins] = -1
        return codes

    def _coded(self, values: list[str | None]) -> IntArray:
        unknown = self.new if self.complete else self.other
        return np.fromiter(map(self._codes.get, values, repeat(unknown)), dtype=np.int64, count=len(values))

    def _new_names(self, values: list[str | None], codes: IntArray) -> Names:
        found = {name for name in compress(values, (codes == self.new).tolist()) if name is not None}
        return sample_names((name_hash(name), name[:NAME_LENGTH]) for name in found)

    def summary(self, sketch: Sketch) -> Summary:
        """Return what detectors see of a sketch."""
        return Summary(
            kind=Kind.CATEGORICAL, counts=sketch.counters[HEADER:], groups=self.groups, continuous=False
        )
