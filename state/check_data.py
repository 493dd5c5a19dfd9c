"""What events say of a violation of a check."""

import msgspec

from detectors.checks import Check, Family
from state.episodes import Change
from state.event_data import Instant, ReferenceData, WindowData
from state.segment_faults import FaultSegments


class ViolationData(msgspec.Struct, frozen=True, kw_only=True):
    """The violation an event belongs to; `worst` is the value that was furthest off so far."""

    id: str
    since: Instant
    opened: Instant
    worst: float
    windows: int


class CheckData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Data of an event that opens, updates or closes a violation of a check.

    Attributes
    ----------
    kind
        The family of the check: quality, prediction, operations or performance.
    feature, segment
        What is checked; an empty feature is the records as a whole, an empty segment all of them.
    check
        The quantity in this window, its limits, and where those come from.
    segments
        For each segment column, the segments that make up most of what the check found.
    """

    kind: Family
    change: Change
    model: str
    model_version: str
    window: WindowData
    reference: ReferenceData
    feature: str
    segment: str
    check: Check
    episode: ViolationData
    segments: tuple[FaultSegments, ...] = ()
