"""The grid of panes that windows are made of, aligned to an origin and a time zone."""

from dataclasses import dataclass
from functools import reduce
from math import gcd

import numpy as np

from detectors.base import DriftflowError, IntArray
from state.durations import Axis, format_span
from state.zones import WallClock, wall_clock

MONDAY = 4 * 86_400_000
"""1970-01-05T00:00 on the wall clock, in milliseconds: the origin that puts weeks on Mondays."""

MAX_SLICES = 1_000
"""Slices that one window may be made of."""

END = 2**62
"""The frontier of a partition that has ended: every pane is closed as far as it is concerned."""


class GridError(DriftflowError):
    """Windows that cannot be laid on one grid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSpec:
    """One kind of window; sizes in the unit of the axis. Tumbling where `slide` equals `size`."""

    name: str
    size: int
    slide: int

    @property
    def tumbling(self) -> bool:
        """Whether windows do not overlap."""
        return self.size == self.slide


@dataclass(frozen=True, slots=True, kw_only=True)
class PanedWindow:
    """A window specification in panes.

    Window `k` covers panes ``[k * slide, k * slide + size)``. A slice is the longest run of panes that no
    window border cuts; what a window keeps between panes and its end are slices.
    """

    index: int
    name: str
    size: int
    slide: int

    @property
    def slice_panes(self) -> int:
        """Panes in one slice."""
        return gcd(self.size, self.slide)

    @property
    def overlap(self) -> int:
        """Windows in a row after which one shares no pane with the first."""
        return -(-self.size // self.slide)


@dataclass(frozen=True, slots=True)
class Grid:
    """Panes of equal wall-clock length, numbered from the origin, and the windows on them.

    Attributes
    ----------
    axis
        Milliseconds since the epoch, or rows.
    length
        Wall-clock length of a pane: the greatest common divisor of all sizes and slides.
    origin
        Wall-clock time at which pane 0 starts.
    clock
        None where the axis counts rows.
    windows
        In the order of the configuration.
    """

    axis: Axis
    length: int
    origin: int
    clock: WallClock | None
    windows: tuple[PanedWindow, ...]

    def pane_of(self, times: IntArray) -> IntArray:
        """Pane of each event time, same shape."""
        local = times if self.clock is None else self.clock.local(times)
        return (local - self.origin) // self.length

    def start_of(self, pane: int) -> int:
        """Event time at which a pane starts; panes that a clock change skips have no length."""
        local = self.origin + pane * self.length
        return local if self.clock is None else self.clock.instant(local)

    def frontier(self, watermark: int) -> int:
        """Return the first pane that is still open at a watermark."""
        return int(self.pane_of(np.array([watermark], dtype=np.int64))[0])


def build_grid(specs: tuple[WindowSpec, ...], *, axis: Axis, zone: str, origin: int | None) -> Grid:
    """Lay windows on one grid.

    Parameters
    ----------
    origin
        Wall-clock time that borders are counted from; None: a Monday's midnight, or row 0.

    Raises
    ------
    GridError
        A size or slide is not positive, a slide is longer than its window, or a window would need more than
        `MAX_SLICES` slices; the message names the window and what would do.
    """
    for spec in specs:
        if spec.slide <= 0 or spec.size <= 0:
            raise GridError(f"window {spec.name!r}: size and slide must be positive")
        if spec.slide > spec.size:
            raise GridError(
                f"window {spec.name!r}: slide {format_span(spec.slide, axis)} is longer than its size "
                f"{format_span(spec.size, axis)}, so rows between windows would never be looked at"
            )
        slices = spec.size // gcd(spec.size, spec.slide)
        if slices > MAX_SLICES:
            hint = format_span(-(-spec.size // MAX_SLICES), axis)
            raise GridError(
                f"window {spec.name!r}: {format_span(spec.size, axis)} sliding by "
                f"{format_span(spec.slide, axis)} needs {slices} slices; wanted at most {MAX_SLICES}: "
                f"a slide of {hint} or more that divides the size"
            )
    length = reduce(gcd, (n for spec in specs for n in (spec.size, spec.slide)))
    rows = axis is Axis.ROWS
    return Grid(
        axis=axis,
        length=length,
        origin=origin if origin is not None else (0 if rows else MONDAY),
        clock=None if rows else wall_clock(zone),
        windows=tuple(
            PanedWindow(index=i, name=s.name, size=s.size // length, slide=s.slide // length)
            for i, s in enumerate(specs)
        ),
    )
