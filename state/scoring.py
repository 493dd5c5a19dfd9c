"""A closed window against its reference: readings, and the evidence they make over time."""

from collections.abc import Iterable

import msgspec

from detectors.base import Reading
from detectors.registry import for_kind
from detectors.significance import primary_test
from state.reference import FeatureReference
from state.schedule import UNCHANGED, Schedule
from state.sketches.base import LATE, MISSING, NON_FINITE, Names
from state.windows import Closed, ClosedWindow

EFFECT = "psi"
"""The detector whose debiased score grades a drift."""


class Scored(msgspec.Struct, frozen=True, kw_only=True, tag="window"):
    """Readings of one column in one window.

    `start` and `end` are panes; `reference` is the version that it was compared with; `counts` are the
    window's counters as packed int64, for the histogram.
    """

    feature: str
    spec: int
    start: int
    end: int
    reference: str
    partial: bool
    incomplete: bool
    rows: int
    late: int
    missing: int
    non_finite: int
    n: int
    test: str
    readings: tuple[Reading, ...]
    counts: bytes
    new_names: Names

    def reading(self, method: str) -> Reading | None:
        """Return the reading of a detector, None where it does not apply to this column."""
        return next((reading for reading in self.readings if reading.method == method), None)

    @property
    def p_value(self) -> float | None:
        """The p-value that decides for this column."""
        found = self.reading(self.test)
        return None if found is None else found.p_value

    @property
    def effect(self) -> float | None:
        """The debiased effect size that grades this column."""
        found = self.reading(EFFECT)
        return None if found is None else found.debiased


class Gap(msgspec.Struct, frozen=True, kw_only=True, tag="gap"):
    """Windows without rows, as one column saw them; `reference` is that of the first of them."""

    feature: str
    spec: int
    start: int
    end: int
    reference: str
    windows: int


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What one window of one column adds to what was known of it.

    Attributes
    ----------
    streak
        Windows in a row, this one included, whose p-value was at or below the level, all of them against
        one reference; 0 where it is not.
    since
        First pane of the streak's first window; this window's where there is none.
    """

    found: Scored | Gap
    streak: int
    since: int


def score(feature: FeatureReference, closed: Closed, *, version: str) -> Scored | Gap:
    """Take all readings of one closed window; a pure function.

    Parameters
    ----------
    version
        Of the reference that the feature is from.
    """
    name = feature.column.name
    if not isinstance(closed, ClosedWindow):
        return Gap(
            feature=name,
            spec=closed.spec,
            start=closed.start,
            end=closed.end,
            reference=version,
            windows=closed.windows,
        )
    reference, current = feature.summary, feature.bins.summary(closed.sketch)
    counters = closed.sketch.counters
    return Scored(
        feature=name,
        spec=closed.spec,
        start=closed.start,
        end=closed.end,
        reference=version,
        partial=closed.partial,
        incomplete=closed.incomplete,
        rows=closed.sketch.rows,
        late=int(counters[LATE]),
        missing=int(counters[MISSING]),
        non_finite=int(counters[NON_FINITE]),
        n=current.n,
        test=primary_test(reference),
        readings=tuple(detector.compare(reference, current) for detector in for_kind(reference.kind)),
        counts=current.counts.astype("<i8").tobytes(),
        new_names=closed.sketch.names,
    )


class Judge:
    """Evidence of one column over time; keeps one streak per kind of window."""

    def __init__(
        self,
        level: float,
        resume: bytes | None = None,
        *,
        min_rows: int = 1,
        schedule: Schedule = UNCHANGED,
    ) -> None:
        """Begin, or go on from what `snapshot` returned.

        Parameters
        ----------
        level
            The p-value of a streak.
        min_rows
            Rows with a value below which a window says nothing.
        schedule
            A streak ends where a window is compared with another generation than the one before it.
        """
        self._level = level
        self._min_rows = min_rows
        self._schedule = schedule
        self._streaks: dict[int, tuple[int, int]] = (
            {} if resume is None else msgspec.msgpack.decode(resume, type=dict[int, tuple[int, int]])
        )

    def add(self, found: Iterable[Scored | Gap]) -> list[Evidence]:
        """Weigh windows in order; a window that says nothing (no rows, too few) leaves the streak alone."""
        return [self._weigh(item) for item in found]

    def _weigh(self, found: Scored | Gap) -> Evidence:
        streak, since = self._streaks.get(found.spec, (0, found.start))
        if self._schedule.of_window(since) != self._schedule.of_window(found.start):
            # Evidence against one reference is none against the next.
            streak, since = 0, found.start
        if isinstance(found, Scored) and found.p_value is not None and found.n >= self._min_rows:
            streak, since = (
                (streak + 1, since if streak else found.start)
                if found.p_value <= self._level
                else (0, found.start)
            )
            self._streaks[found.spec] = (streak, since)
        return Evidence(found=found, streak=streak, since=since if streak else found.start)

    def snapshot(self) -> bytes:
        """Pack the state."""
        return msgspec.msgpack.encode(self._streaks)
