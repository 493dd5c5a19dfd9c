"""Values of the configuration: spans, zones and instants, with clear words where one is refused."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from detectors.base import DriftflowError
from state.durations import Axis, DurationError, parse_span


class ConfigError(DriftflowError):
    """The configuration is refused; the message gives the key, the value found and the value wanted."""


def span_of(text: str, axis: Axis, key: str) -> int:
    """Read a span that stands under a key, in the unit of the axis; raises `ConfigError`."""
    try:
        return parse_span(text, axis)
    except DurationError as error:
        raise ConfigError(f"`{key}`: {error}") from error


def timed(text: str | None, axis: Axis, key: str) -> int | None:
    """Read a span of time; None where there is none, or where the axis counts rows."""
    return None if text is None or axis is Axis.ROWS else span_of(text, axis, key)


def zone_of(name: str, key: str = "time.zone") -> ZoneInfo:
    """Find a time zone by its IANA name; raises `ConfigError` under the key."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(
            f"`{key}`: found {name!r}, wanted an IANA time zone such as 'UTC' or 'Europe/Berlin'"
        ) from error


def instant_of(text: str | None, zone: ZoneInfo, key: str) -> int | None:
    """Read a point in time, in milliseconds since the epoch; without an offset it is in `zone`."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"`{key}`: found {text!r}, wanted a time such as '2026-01-05T00:00:00'") from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)
