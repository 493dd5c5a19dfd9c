"""What the policy goes by: routes, quiet hours, caps."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from alerts.signals import Kind, Signal
from detectors.verdicts import RANK, Severity

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MINUTES = 24 * 60


MINUTE_MS = 60_000
LONGEST_LULL_MS = 14 * 24 * 60 * MINUTE_MS
"""How far ahead the end of quiet hours is looked for: hours of all days never end."""


class Lull(StrEnum):
    """Why little is sent."""

    MAINTENANCE = "maintenance"
    HOURS = "quiet hours"


class GroupKey(StrEnum):
    """What signals that share a message have in common, beside model and route."""

    KIND = "kind"
    WINDOW = "window"
    FEATURE = "feature"
    VERSION = "version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which signals a route takes; an empty tuple takes all.

    Attributes
    ----------
    features, segments
        Patterns of the shell (`*`, `?`, `[abc]`); of segments one that fits is enough.
    severity
        At least this; what is not graded, such as a violation of a check, is always enough.
    """

    features: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    windows: tuple[str, ...] = ()
    severity: Severity = Severity.LOW

    def refusal(self, signal: Signal) -> str | None:
        """Say why a signal is not taken; None where it is."""
        if self.kinds and signal.kind not in self.kinds:
            return f"kind is {signal.kind}, wanted {', '.join(self.kinds)}"
        if self.windows and signal.window not in self.windows:
            return f"window is {signal.window or 'none'}, wanted {', '.join(self.windows)}"
        if self.features and not _fits(self.features, (signal.feature,)):
            return f"feature is {signal.feature or 'none'}, wanted {', '.join(self.features)}"
        if self.segments and not _fits(self.segments, signal.segments):
            return f"segments are {', '.join(signal.segments) or 'none'}, wanted {', '.join(self.segments)}"
        if signal.severity is not None and RANK[signal.severity] < RANK[self.severity]:
            return f"severity is {signal.severity}, wanted {self.severity} at least"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Whom else to tell where nobody acknowledges within `after_ms`, or where the severity rises."""

    after_ms: int
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """From signals to channels.

    Attributes
    ----------
    goes_on
        Whether the routes behind it are asked as well.
    group_by, group_wait_ms
        What signals of one message have in common; how long the first of them waits for others.
    cooldown_ms
        How long after a message of a group another one of new episodes waits, and becomes part of a digest.
    resolve
        Whether the end is told.
    """

    name: str
    match: Match = field(default_factory=Match)
    channels: tuple[str, ...]
    goes_on: bool = False
    group_by: tuple[GroupKey, ...] = (GroupKey.KIND, GroupKey.WINDOW)
    group_wait_ms: int = 30_000
    cooldown_ms: int = 3_600_000
    escalation: Escalation | None = None
    resolve: bool = True

    def key(self, signal: Signal) -> str:
        """Name the group of a signal."""
        parts = {
            GroupKey.KIND: str(signal.kind),
            GroupKey.WINDOW: signal.window,
            GroupKey.FEATURE: signal.feature,
            GroupKey.VERSION: signal.model_version,
        }
        return "/".join((self.name, *(parts[by] for by in self.group_by)))


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """Hours of some days of the week, 0 for Monday; they end on the next day where `end` is not later.

    `start` and `end` are minutes of the day on the clock of the zone.
    """

    days: tuple[int, ...]
    start: int
    end: int

    def hold(self, moment: datetime) -> bool:
        """Tell whether they hold at a moment on the clock of the zone."""
        minute = moment.hour * 60 + moment.minute
        today, yesterday = moment.weekday() in self.days, (moment.weekday() - 1) % 7 in self.days
        if self.start < self.end:
            return today and self.start <= minute < self.end
        return (today and minute >= self.start) or (yesterday and minute < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """When little is sent.

    Attributes
    ----------
    maintenance
        Spans, first instant to first instant behind, milliseconds since the epoch.
    passes
        The severity that is sent all the same; None: nothing is.
    """

    zone: str = "UTC"
    hours: tuple[QuietHours, ...] = ()
    maintenance: tuple[tuple[int, int], ...] = ()
    passes: Severity | None = Severity.HIGH

    def holds_back(self, severity: Severity | None, now_ms: int) -> bool:
        """Tell whether a message of a severity has to wait."""
        return self.lull(severity, now_ms) is not None

    def lull(self, severity: Severity | None, now_ms: int) -> Lull | None:
        """Say what a message of a severity has to wait for; None where it is sent."""
        if self.passes is not None and RANK[severity] >= RANK[self.passes]:
            return None
        if any(start <= now_ms < end for start, end in self.maintenance):
            return Lull.MAINTENANCE
        moment = (_EPOCH + timedelta(milliseconds=now_ms)).astimezone(ZoneInfo(self.zone))
        return Lull.HOURS if any(hours.hold(moment) for hours in self.hours) else None

    def ends_ms(self, severity: Severity | None, now_ms: int) -> int | None:
        """Return when a message that has to wait need not any more; None: not within `LONGEST_LULL_MS`."""
        at = now_ms
        while at <= now_ms + LONGEST_LULL_MS:
            lull = self.lull(severity, at)
            if lull is None:
                return at
            if lull is Lull.MAINTENANCE:
                at = max(end for start, end in self.maintenance if start <= at < end)
            else:
                # Hours begin and end with a minute of the clock; no zone of today is off by less.
                at = at - at % MINUTE_MS + MINUTE_MS
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRules:
    """All that the policy goes by; `caps` are the most messages of each channel in any hour."""

    model: str
    routes: tuple[Route, ...]
    caps: dict[str, int]
    quiet: Quiet = field(default_factory=Quiet)

    def routed(self, signal: Signal) -> list[Route]:
        """Return the routes that take a signal: the first that fits, and those behind it where it goes on."""
        found = list[Route]()
        for route in self.routes:
            if route.match.refusal(signal) is None:
                found.append(route)
                if not route.goes_on:
                    break
        return found


def _fits(patterns: tuple[str, ...], names: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)
