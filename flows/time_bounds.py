"""What the configuration says about the event times of records."""

from dataclasses import dataclass

from flows.config_values import instant_of, span_of, timed, zone_of
from flows.schema import TimeConfig
from state.durations import Axis


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeBounds:
    """What a record's event time must lie in, how far a row may lag behind, and when waiting ends.

    Attributes
    ----------
    lateness
        Span by which the watermark stays behind the largest event time, in the unit of the axis.
    earliest, latest
        Event times outside are refused; None: no border.
    max_ahead
        Event times further than this beyond the record's own time are refused; None: not looked at.
    idle_timeout
        How long a live partition that has nothing more may hold windows open (wall clock); None: for ever.
    max_skew
        How far a live partition's watermark may lag behind the wall clock; None: any distance.
    """

    lateness: int
    earliest: int | None
    latest: int | None
    max_ahead: int | None = None
    idle_timeout: int | None = None
    max_skew: int | None = None


def time_bounds(given: TimeConfig, axis: Axis) -> TimeBounds:
    """Read the section `time`; raises `ConfigError`."""
    zone = zone_of(given.zone)
    return TimeBounds(
        lateness=0 if given.lateness is None else span_of(given.lateness, axis, "time.lateness"),
        earliest=instant_of(given.earliest, zone, "time.earliest"),
        latest=instant_of(given.latest, zone, "time.latest"),
        max_ahead=timed(given.max_ahead, axis, "time.max_ahead"),
        idle_timeout=timed(given.idle_timeout, axis, "time.idle_timeout"),
        max_skew=timed(given.max_skew, axis, "time.max_skew"),
    )
