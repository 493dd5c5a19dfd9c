"""The checks of a report: which violations are open, and what windows do to them."""

from collections import Counter
from collections.abc import Iterable, Iterator

from detectors.checks import Check, CheckStatus, Family
from state.check_events import CheckEvents, feature_of
from state.episodes import Change
from state.event_data import NamedCheck
from state.scoring import Found
from state.stores.base import Point, StoredEvent
from state.stores.episodes import StoredEpisode
from state.violations import Violation, open_violation, step_violation

HeldViolation = tuple[int, str, str, Violation]
"""An open violation after its kind of window, its track and its check."""


class CheckReport:
    """The open violations of all tracks of a report, and what windows do to them."""

    def __init__(self, events: CheckEvents, resume: Iterable[HeldViolation] = ()) -> None:
        """Begin, or go on from what `snapshot` returned."""
        self._events = events
        self._open = {(spec, track, name): held for spec, track, name, held in resume}

    def add(self, tracks: Iterable[Found]) -> Iterator[StoredEvent | StoredEpisode]:
        """Take the checks of all tracks of one window; give what is to be told, in their order."""
        for found in tracks:
            for check in found.checks:
                told = self._step(found, check)
                if told is not None:
                    yield self._events.event(*told, found, check)
                    yield self._events.episode(*told, found, check)

    def points(self, tracks: Iterable[Found]) -> Iterator[Point]:
        """Give the values of a window's checks to their series."""
        for found in tracks:
            yield from self._events.points(found)

    @property
    def open(self) -> dict[tuple[str, Family], int]:
        """How many are open, by the name of their window and their family; those of none as well."""
        grid = self._events.context.grid
        counts = Counter((spec, held.family) for (spec, _, _), held in self._open.items())
        return {
            (window.name, family): counts[window.index, family]
            for window in grid.windows
            for family in Family
        }

    def snapshot(self) -> list[HeldViolation]:
        """Give the state."""
        return [(*key, held) for key, held in self._open.items()]

    def _step(self, found: Found, check: Check) -> tuple[Change, Violation] | None:
        key = (found.spec, found.feature, check.name)
        held = self._open.get(key)
        if held is None:
            if check.status is not CheckStatus.VIOLATED:
                return None
            change: Change | None = Change.OPENED
            violation = open_violation(
                check,
                violation_id=self._events.violation_id(found, check),
                start=found.start,
                end=found.end,
            )
        else:
            overlap = self._events.context.grid.windows[found.spec].overlap
            violation, change = step_violation(held, check, overlap=overlap)
        if change is Change.CLOSED:
            del self._open[key]
        else:
            self._open[key] = violation
        return None if change is None else (change, violation)


def noted(windows: Iterable[Found]) -> tuple[NamedCheck, ...]:
    """Return the checks of a window that its report lists: those that are violated, or not calm."""
    told = {CheckStatus.VIOLATED, CheckStatus.SUSPECT}
    return tuple(
        NamedCheck(feature=feature_of(found.feature), check=check)
        for found in windows
        for check in found.checks
        if check.status in told
    )
