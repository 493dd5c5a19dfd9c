"""Checks of how many records a window has, and of the panes in it that have none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp

import numpy as np
from scipy.special import bdtrc

from detectors.base import IntArray
from detectors.checking import check_given
from detectors.checks import CALM_LEVEL, Check, CheckStatus, Direction, Family, Given
from detectors.volume import FEWEST_WINDOWS, Volumes, check_volume
from state.arrivals import Arrivals
from state.durations import Axis, format_span
from state.grid import Grid, PanedWindow
from state.windows import ClosedWindow, EmptySpan

WEEK_MS = 7 * 86_400_000
"""What must be known of a stream before a window is called too empty: a season is a day or a week long."""

LOW, BURST, EMPTY = "low_volume", "volume_burst", "empty_panes"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """Windows of one kind that are known: rows and empty panes of each, shape ``(windows,)``.

    `apart` is how many share no row, `span_ms` from the first to the last.
    """

    rows: IntArray
    empty: IntArray
    apart: int
    span_ms: int
    source: str

    @property
    def enough(self) -> bool:
        """Whether they can say what a window may have."""
        return self.apart >= FEWEST_WINDOWS and self.span_ms >= WEEK_MS


NOTHING = Known(
    rows=np.zeros(0, dtype=np.int64),
    empty=np.zeros(0, dtype=np.int64),
    apart=0,
    span_ms=0,
    source="",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeChecks:
    """Holds how many records came against the windows of a reference.

    Attributes
    ----------
    grid
        Of the windows, in milliseconds.
    known
        By kind of window what the reference knows.
    factor
        How many times fewer rows than ever, or more, matter.
    limits
        Limits that were given, by the name of a check.
    """

    grid: Grid
    known: tuple[Known, ...]
    factor: float
    limits: dict[str, Given]

    @property
    def names(self) -> tuple[str, str, str]:
        """The checks, in their order."""
        return LOW, BURST, EMPTY

    def of_window(self, window: ClosedWindow, level: float) -> tuple[Check, ...]:
        """Check a window; one that lacks rows because it is cut off, or was given up, says nothing.

        At the stream's beginning and end a window may be covered in part only: few rows mean nothing there.
        """
        spec = self.grid.windows[window.spec]
        found = self.against(
            self.known[window.spec], spec, window.sketch.rows, self.empty_panes(window), level
        )
        if window.edge and not (window.partial or window.incomplete):
            why = "none: the stream begins or ends in it"
            return tuple(
                check if check.name == BURST else replace(check, status=CheckStatus.INSUFFICIENT, source=why)
                for check in found
            )
        if not (window.partial or window.incomplete):
            return found
        why = "none: the window is cut off" if window.partial else "none: rows may still come"
        return tuple(replace(check, status=CheckStatus.INSUFFICIENT, source=why) for check in found)

    def of_gap(self, gap: EmptySpan, level: float) -> tuple[Check, ...]:
        """Check windows without a row."""
        return (self._rows(LOW, self.known[gap.spec], 0, level),)

    def against(
        self, known: Known, spec: PanedWindow, rows: int, empty: int, level: float
    ) -> tuple[Check, Check, Check]:
        """Hold rows and empty panes of a window against what is known of its kind."""
        return (
            self._rows(LOW, known, rows, level),
            self._rows(BURST, known, rows, level),
            self._empty(known, spec, rows, empty, level),
        )

    def empty_panes(self, window: ClosedWindow) -> int:
        """Count the panes of a window that have no row, though they have a length."""
        empty = window.end - window.start - window.filled
        if not empty or self.grid.clock is None:
            return empty
        starts = [self.grid.start_of(pane) for pane in range(window.start, window.end + 1)]
        # Where clocks are set forward, panes of the skipped hour have none.
        return empty - sum(start == end for start, end in pairwise(starts))

    def _rows(self, name: str, known: Known, rows: int, level: float) -> Check:
        given = self.limits.get(name)
        if given is not None:
            return check_given(name, Family.QUALITY, float(rows), rows, given, min_rows=0)
        volumes = Volumes(
            rows=known.rows, apart=known.apart if known.enough else 0, source=known.source or _nothing()
        )
        return check_volume(
            name,
            Family.QUALITY,
            rows,
            volumes,
            direction=Direction.DOWN if name == LOW else Direction.UP,
            level=level,
            factor=self.factor,
        )

    def _empty(self, known: Known, spec: PanedWindow, rows: int, empty: int, level: float) -> Check:
        """Hold the number of empty panes against the most that any known window had.

        One more is a violation where it is no luck: by the binomial law, with the share of empty panes that
        is known, or the chance ``exp(-m)`` that a pane has none of the `m` rows that panes have at least.
        """
        given = self.limits.get(EMPTY)
        if given is not None:
            return check_given(EMPTY, Family.QUALITY, float(empty), rows, given, min_rows=0)
        check = Check(
            name=EMPTY,
            family=Family.QUALITY,
            status=CheckStatus.INSUFFICIENT,
            value=float(empty),
            source=known.source or _nothing(),
            level=level,
            n=rows,
        )
        if not known.enough:
            return check
        panes, most = spec.size, int(known.empty.max())
        share = max(float(known.empty.mean()) / panes, exp(-float(known.rows.min()) / panes))
        chance = float(bdtrc(empty - 1, panes, share)) if empty else 1.0
        status = CheckStatus.OK
        if empty > most and chance <= CALM_LEVEL:
            status = CheckStatus.VIOLATED if chance <= level else CheckStatus.SUSPECT
        return replace(
            check, status=status, reference=float(known.empty.mean()), upper=float(most), p_value=chance
        )


def known_windows(arrivals: Arrivals | None, grid: Grid) -> tuple[Known, ...]:
    """Return what a reference knows of each kind of window; nothing without event times."""
    return tuple(_known(arrivals, grid, window) for window in grid.windows)


def _known(arrivals: Arrivals | None, grid: Grid, window: PanedWindow) -> Known:
    size_ms = window.size * grid.length
    found = None if arrivals is None else arrivals.windows(size_ms, grid.length)
    if arrivals is None or found is None:
        return NOTHING
    rows, empty = found
    return Known(
        rows=rows,
        empty=empty,
        apart=(len(arrivals.counts) - 2) * arrivals.width_ms // size_ms,
        span_ms=arrivals.span_ms,
        source=f"reference: windows of {_shown(size_ms)} in {_shown(arrivals.span_ms)}",
    )


def learnt(counts: Sequence[tuple[int, int]], span_ms: int) -> Known:
    """Return what windows that came before tell: rows and empty panes of each, none sharing a row."""
    table = np.array(counts, dtype=np.int64).reshape(-1, 2)
    return Known(
        rows=table[:, 0],
        empty=table[:, 1],
        apart=len(table),
        span_ms=span_ms,
        source=f"the {len(table)} windows before, over {_shown(span_ms)}",
    )


def _nothing() -> str:
    return "none: no week of windows is known yet"


def _shown(span_ms: int) -> str:
    return format_span(span_ms, Axis.MILLISECONDS)
