"""Events, stored episodes and series points of checks."""

from collections.abc import Iterator
from dataclasses import dataclass

from detectors.checks import Check, Family
from state.check_data import CheckData, ViolationData
from state.episodes import Change
from state.events import EventType, cloud_event, deterministic_id
from state.report_context import ReportContext
from state.scoring import Found, Gap
from state.segment_faults import FaultSegments
from state.stores.base import Point, StoredEvent
from state.stores.episodes import StoredEpisode
from state.violations import Violation

_BEGAN = {
    Family.QUALITY: EventType.QUALITY_VIOLATED,
    Family.PREDICTION: EventType.PREDICTION_VIOLATED,
    Family.OPERATIONS: EventType.OPERATIONS_VIOLATED,
    Family.PERFORMANCE: EventType.PERFORMANCE_DEGRADED,
}
_ENDED = {
    Family.QUALITY: EventType.QUALITY_RESOLVED,
    Family.PREDICTION: EventType.PREDICTION_RESOLVED,
    Family.OPERATIONS: EventType.OPERATIONS_RESOLVED,
    Family.PERFORMANCE: EventType.PERFORMANCE_RECOVERED,
}
TRACK_MARK = "@"
"""What names of tracks that are no columns begin with; events of theirs have no feature."""


def feature_of(track: str) -> str:
    """Return the column that a track is, empty for one of whole records."""
    return "" if track.startswith(TRACK_MARK) else track


@dataclass(frozen=True, slots=True)
class CheckEvents:
    """Writes what checks say; nothing in it differs between two runs over the same data."""

    context: ReportContext

    def violation_id(self, found: Found, check: Check) -> str:
        """Name the violation that a window opens."""
        return deterministic_id(["violation", *self.context.identity(found), found.feature, check.name])

    def event(self, change: Change, violation: Violation, found: Found, check: Check) -> StoredEvent:
        """Write what a window did to a violation."""
        context = self.context
        feature = feature_of(found.feature)
        data = CheckData(
            kind=check.family,
            change=change,
            model=context.model,
            model_version=context.model_version,
            window=context.window(found),
            reference=context.reference_data(found),
            feature=feature,
            segment="",
            check=check,
            episode=ViolationData(
                id=violation.id,
                since=context.written(violation.since),
                opened=context.written(violation.opened),
                worst=violation.worst,
                windows=violation.windows,
            ),
            segments=_segments(found, check),
        )
        return cloud_event(
            (_ENDED if change is Change.CLOSED else _BEGAN)[check.family],
            data,
            identity=[*context.identity(found), found.feature, "", check.name],
            end=context.instant_of(found.end),
            feature=feature or None,
            episode=violation.id,
        )

    def episode(self, change: Change, violation: Violation, found: Found, check: Check) -> StoredEpisode:
        """Write how a violation stands after what a window did to it."""
        context = self.context
        return StoredEpisode(
            id=violation.id,
            model=context.model,
            model_version=context.model_version,
            window=context.grid.windows[found.spec].name,
            feature=feature_of(found.feature),
            reference=found.reference,
            since=context.time_of(violation.since),
            opened=context.instant_of(violation.opened),
            updated=context.instant_of(found.end),
            is_open=change is not Change.CLOSED,
            severity="",
            peak=violation.worst,
            windows=violation.windows,
            family=violation.family,
            check=check.name,
        )

    def points(self, found: Found) -> Iterator[Point]:
        """Give the values of a window's checks to their series, named by family and check."""
        feature = feature_of(found.feature)
        for check in found.checks:
            if check.value is not None:
                yield self.context.point(found, feature, f"{check.family}.{check.name}", check.value)


def _segments(found: Found, check: Check) -> tuple[FaultSegments, ...]:
    """Return the segments of a check; the records as a whole have none."""
    faults = () if isinstance(found, Gap) else found.faults
    return tuple(each for each in faults if each.check == check.name)
