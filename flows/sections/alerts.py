"""The section `alerts`: who is told what, when, and by which channel."""

import re
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from alerts.rules import AlertRules, Escalation, GroupKey, Match, Quiet, QuietHours, Route
from alerts.signals import Kind
from detectors.verdicts import Severity
from flows.config_values import ConfigError, instant_of, span_of, zone_of
from flows.sections.base import Name, Section
from flows.sections.channels import ChannelConfig, StdoutConfig
from flows.sections.monitor import MonitorConfig
from flows.sections.retraining import RetrainingConfig
from state.durations import Axis

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


class MatchConfig(Section, frozen=True):
    """Which signals a route takes; without a key all do.

    Attributes
    ----------
    features : all
        patterns of names, such as `amount` or `card_*`
    segments : all
        patterns of `column=value`; one that explains the drift is enough
    kinds : all
        `drift`, `quality`, `prediction`, `operations`, `performance`, `reference`, `monitor`
    windows : all
        names of windows
    severity
        the lowest of a drift that is told; violations of checks are not graded and always told
    """

    features: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    windows: tuple[Name, ...] = ()
    severity: Severity = Severity.LOW


class EscalateConfig(Section, frozen=True):
    """Whom else to tell.

    Attributes
    ----------
    after
        how long nobody may acknowledge; a severity that rises is told at once
    channels
        who is told then, beside the channels of the route where the severity has risen
    """

    channels: tuple[Name, ...]
    after: str = "1h"


class RouteConfig(Section, frozen=True):
    """From signals to channels; the first route that matches takes a signal.

    Attributes
    ----------
    name
        stands in messages
    channels
        names of `alerts.channels`
    go_on
        `true`: the routes behind this one are asked as well
    group_wait
        how long the first signal of a message waits for others
    group_by
        what signals of one message have in common, of `kind`, `window`, `feature` and `version`
    cooldown
        after a message new episodes of its group wait this long, and come in a digest
    resolve
        tell the end as well, once all that the message told of has ended
    """

    name: Name
    channels: tuple[Name, ...]
    match: MatchConfig = MatchConfig()
    go_on: bool = False
    group_wait: str = "30s"
    group_by: tuple[GroupKey, ...] = (GroupKey.KIND, GroupKey.WINDOW)
    cooldown: str = "1h"
    escalate: EscalateConfig | None = None
    resolve: bool = True


class HoursConfig(Section, frozen=True):
    """Hours of the week.

    Attributes
    ----------
    days
        `mon` to `sun`; hours that end on the next day belong to the one they start on
    start
        such as `"22:00"`; quote it
    end
        the first minute that is no longer quiet; where it is not later than `start`, of the next day
    """

    start: str
    end: str
    days: tuple[Day, ...] = DAYS


class MaintenanceConfig(Section, frozen=True):
    """A span of time.

    Attributes
    ----------
    start
        a time such as `2026-01-05T08:00`, on the clock of `alerts.quiet.zone` unless it has an offset
    end
        the first instant behind it
    """

    start: str
    end: str


class QuietConfig(Section, frozen=True):
    """When little is sent; the rest comes in one digest behind it.

    Attributes
    ----------
    zone
        IANA zone of the hours
    passes
        the lowest severity that is sent all the same; `null`: nothing is
    """

    zone: str = "UTC"
    hours: tuple[HoursConfig, ...] = ()
    maintenance: tuple[MaintenanceConfig, ...] = ()
    passes: Severity | None = Severity.HIGH


class AlertsConfig(Section, frozen=True):
    """Who is told; without a route all channels are told of all, without a channel standard output is."""

    channels: dict[Name, ChannelConfig] = msgspec.field(default_factory=dict)
    routes: tuple[RouteConfig, ...] = ()
    quiet: QuietConfig = QuietConfig()
    retraining: RetrainingConfig | None = None
    monitor: MonitorConfig = MonitorConfig()


def alert_channels(given: AlertsConfig) -> dict[str, ChannelConfig]:
    """Return the channels by name: standard output where the file names none."""
    return dict(given.channels) or {"stdout": StdoutConfig()}


def alert_rules(given: AlertsConfig, *, model: str, windows: tuple[str, ...]) -> AlertRules:
    """Check the section.

    Raises
    ------
    ConfigError
        A route names a channel or a window that is not there, or a value is none.
    """
    channels = alert_channels(given)
    routes = [
        _route(each, f"alerts.routes[{place}]", channels, windows) for place, each in enumerate(given.routes)
    ]
    names = [route.name for route in routes]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"`alerts.routes`: found two with the name {name!r}, wanted a name of its own for each"
            )
    return AlertRules(
        model=model,
        routes=tuple(routes) or (Route(name="all", channels=tuple(channels)),),
        caps={name: channel.cap_per_hour for name, channel in channels.items()},
        quiet=_quiet(given.quiet),
    )


def _route(
    given: RouteConfig, key: str, channels: dict[str, ChannelConfig], windows: tuple[str, ...]
) -> Route:
    _known(given.channels, f"{key}.channels", tuple(channels))
    for window in given.match.windows:
        if window not in windows:
            raise ConfigError(f"`{key}.match.windows`: found {window!r}, wanted some of {', '.join(windows)}")
    escalation = None
    if given.escalate is not None:
        _known(given.escalate.channels, f"{key}.escalate.channels", tuple(channels))
        after = span_of(given.escalate.after, Axis.MILLISECONDS, f"{key}.escalate.after")
        escalation = Escalation(after_ms=after, channels=given.escalate.channels)
    match = given.match
    return Route(
        name=given.name,
        match=Match(
            features=match.features,
            segments=match.segments,
            kinds=match.kinds,
            windows=match.windows,
            severity=match.severity,
        ),
        channels=given.channels,
        goes_on=given.go_on,
        group_by=given.group_by,
        group_wait_ms=span_of(given.group_wait, Axis.MILLISECONDS, f"{key}.group_wait"),
        cooldown_ms=span_of(given.cooldown, Axis.MILLISECONDS, f"{key}.cooldown"),
        escalation=escalation,
        resolve=given.resolve,
    )


def _known(found: tuple[str, ...], key: str, channels: tuple[str, ...]) -> None:
    if not found:
        raise ConfigError(f"`{key}`: found none, wanted some of {', '.join(channels)}")
    for name in found:
        if name not in channels:
            raise ConfigError(
                f"`{key}`: found {name!r}, wanted some of {', '.join(channels)} (`alerts.channels`)"
            )
        if found.count(name) > 1:
            raise ConfigError(f"`{key}`: found {name!r} twice, wanted each once")


def _quiet(given: QuietConfig) -> Quiet:
    zone = zone_of(given.zone, "alerts.quiet.zone")
    return Quiet(
        zone=given.zone,
        hours=tuple(_hours(each, f"alerts.quiet.hours[{place}]") for place, each in enumerate(given.hours)),
        maintenance=tuple(
            _span(each, zone, f"alerts.quiet.maintenance[{place}]")
            for place, each in enumerate(given.maintenance)
        ),
        passes=given.passes,
    )


def _hours(given: HoursConfig, key: str) -> QuietHours:
    days = tuple(DAYS.index(day) for day in given.days)
    return QuietHours(
        days=days, start=_minute(given.start, f"{key}.start"), end=_minute(given.end, f"{key}.end")
    )


def _minute(text: str, key: str) -> int:
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ConfigError(f"`{key}`: found {text!r}, wanted a time of the day such as '22:00'")
    return int(found[1]) * 60 + int(found[2])


def _span(given: MaintenanceConfig, zone: ZoneInfo, key: str) -> tuple[int, int]:
    start = instant_of(given.start, zone, f"{key}.start")
    end = instant_of(given.end, zone, f"{key}.end")
    if start is None or end is None or start >= end:
        raise ConfigError(f"`{key}.end`: found {given.end!r}, wanted a time behind {given.start!r}")
    return start, end
