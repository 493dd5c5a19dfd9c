"""Reads event times: ISO-8601 texts, or seconds, milliseconds or microseconds since the epoch."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from detectors.base import FloatArray, IntArray
from flows.decode.base import Reason
from flows.decode.setup import DecodeSetupError
from state.columns import TimeColumn, TimeUnit

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  texts without an offset in UTC are compared with it
_MILLISECOND = timedelta(milliseconds=1)

EARLIEST_MS = (datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH) // _MILLISECOND
"""First event time that is believed."""

END_MS = (datetime(2201, 1, 1, tzinfo=UTC) - _EPOCH) // _MILLISECOND
"""End of the event times that are believed."""

_PER_SECOND = {TimeUnit.SECONDS: 1, TimeUnit.MILLISECONDS: 1_000, TimeUnit.MICROSECONDS: 1_000_000}
_MICROS = {unit: 1_000_000 // scale for unit, scale in _PER_SECOND.items()}

_FARTHEST = END_MS * 1_000
"""More than any believed time is in any unit, so that arithmetic cannot overflow."""

_SHOWN = 50

_Refused = tuple[Reason, str]


def time_zone(spec: TimeColumn) -> ZoneInfo:
    """Return the zone of texts without an offset.

    Raises
    ------
    DecodeSetupError
        There is no such zone.
    """
    try:
        return ZoneInfo(spec.zone)
    except (KeyError, ValueError, OSError) as error:
        raise DecodeSetupError(
            f"time.zone: there is no time zone {spec.zone!r}; expected an IANA name such as Europe/Berlin"
        ) from error


def parse_times(values: Sequence[object], spec: TimeColumn) -> tuple[IntArray, list[tuple[int, Reason, str]]]:
    """Read the event times of a batch.

    Texts without an offset are in the zone of `spec`: of an hour that the clock shows twice the first is
    meant, and a time that the clock skips is moved forward by as much (PEP 495 with fold 0).

    Parameters
    ----------
    values
        What the records hold: numbers, texts, or None where nothing stands. A number may stand as text.

    Returns
    -------
    times_ms
        Milliseconds since the epoch, rounded down, shape ``(len(values),)``; 0 where refused.
    refused
        Index in `values`, reason and finding of the others, in order: NO_TIME for None and blank texts,
        BAD_TIME for what is not a time or lies outside the years 1900 to 2200.

    Raises
    ------
    DecodeSetupError
        There is no such zone.

    Examples
    --------
    >>> times_ms, refused = parse_times(["1970-01-01T00:00:01.5Z", None], TimeColumn(path="ts"))
    >>> times_ms.tolist(), [(index, str(reason)) for index, reason, _ in refused]
    ([1500, 0], [(1, 'no_time')])
    """
    zone = time_zone(spec)
    times_ms = _column(values, spec, zone)
    if times_ms is not None:
        return times_ms, []
    times_ms = np.zeros(len(values), dtype=np.int64)
    refused: list[tuple[int, Reason, str]] = []
    for index, value in enumerate(values):
        time_ms = _one(value, spec, zone)
        if isinstance(time_ms, int):
            times_ms[index] = time_ms
        else:
            refused.append((index, *time_ms))
    return times_ms, refused


def _column(values: Sequence[object], spec: TimeColumn, zone: ZoneInfo) -> IntArray | None:
    """Read values that are all alike and good; None where they are not, for a reading one by one."""
    try:
        times_ms = (
            _iso_column(values, zone) if spec.unit is TimeUnit.ISO else _epoch_column(values, spec.unit)
        )
    except (TypeError, ValueError, OverflowError):
        return None
    if times_ms is None or (times_ms.size and (times_ms.min() < EARLIEST_MS or times_ms.max() >= END_MS)):
        return None
    return times_ms


def _iso_column(values: Sequence[object], zone: ZoneInfo) -> IntArray:
    """Read ISO texts that all have an offset, or none; others raise."""
    # The types are checked by what raises: fromisoformat takes nothing but texts.
    moments = list(map(datetime.fromisoformat, values))  # type: ignore[arg-type]  # see above
    if not moments:
        return np.zeros(0, dtype=np.int64)
    epoch = _EPOCH
    if moments[0].tzinfo is None and zone.key == "UTC":
        epoch = _NAIVE_EPOCH
    elif moments[0].tzinfo is None:
        moments = [moment.replace(tzinfo=zone) if moment.tzinfo is None else moment for moment in moments]
    # A mixture of times with and without an offset raises here.
    return np.array([(moment - epoch) // _MILLISECOND for moment in moments], dtype=np.int64)


def _epoch_column(values: Sequence[object], unit: TimeUnit) -> IntArray | None:
    """Read numbers, or texts of numbers; others raise or give None."""
    types = set(map(type, values))
    if types == {str}:
        values = _numbers(list(map(str, values)))
        types = set(map(type, values))
    if types == {int}:
        whole = np.array(values, dtype=np.int64)
        if whole.min() < -_FARTHEST or whole.max() > _FARTHEST:
            return None
        scale = _PER_SECOND[unit]
        return whole // 1_000 if unit is TimeUnit.MICROSECONDS else whole * (1_000 // scale)
    # A whole number in the believed range is exact as a float in every unit.
    return _from_floats(np.array(values, dtype=np.float64), unit) if types and types <= {int, float} else None


def _numbers(texts: list[str]) -> list[int] | list[float]:
    """Read texts of numbers; none of them where one has an underscore, which Python's int() would pass."""
    if "_" in "".join(texts):
        return []
    try:
        return list(map(int, texts))
    except ValueError:
        return list(map(float, texts))


def _from_floats(values: FloatArray, unit: TimeUnit) -> IntArray | None:
    """Round to whole microseconds, which hides what binary fractions add, then down to milliseconds."""
    if not np.isfinite(values).all():
        return None
    micros = np.floor(values) if unit is TimeUnit.MICROSECONDS else np.rint(values * _MICROS[unit])
    if micros.min() < -_FARTHEST or micros.max() > _FARTHEST:
        return None
    return micros.astype(np.int64) // 1_000


def _one(value: object, spec: TimeColumn, zone: ZoneInfo) -> int | _Refused:
    if value is None or (isinstance(value, str) and not value.strip()):
        return Reason.NO_TIME, f"the time field {spec.path!r} is missing or empty"
    time_ms = _iso_text(value, spec, zone) if spec.unit is TimeUnit.ISO else _epoch_number(value, spec)
    if isinstance(time_ms, int) and not EARLIEST_MS <= time_ms < END_MS:
        return Reason.BAD_TIME, (
            f"the time {_shown(value)} in {spec.path!r}, read as {spec.unit}, is outside the years 1900 to "
            f"2200{_hint(value, spec)}"
        )
    return time_ms


def _iso_text(value: object, spec: TimeColumn, zone: ZoneInfo) -> int | _Refused:
    try:
        moment = datetime.fromisoformat(value)  # type: ignore[arg-type]  # raises for what is not a text
    except (TypeError, ValueError):
        return Reason.BAD_TIME, (
            f"the time {_shown(value)} in {spec.path!r} is not an ISO-8601 text such as 2024-03-01T12:00:00Z"
            f"{_hint(value, spec)}"
        )
    return ((moment.replace(tzinfo=zone) if moment.tzinfo is None else moment) - _EPOCH) // _MILLISECOND


def _epoch_number(value: object, spec: TimeColumn) -> int | _Refused:
    """Read one number by the arithmetic of `_epoch_column`."""
    number = _number(value)
    if number is None:
        return Reason.BAD_TIME, (
            f"the time {_shown(value)} in {spec.path!r} is not a number of {spec.unit} since the epoch"
        )
    if abs(number) > _FARTHEST:
        return END_MS if number > 0 else EARLIEST_MS - 1
    if isinstance(number, int):
        return number * _MICROS[spec.unit] // 1_000
    exact = spec.unit is TimeUnit.MICROSECONDS
    return (math.floor(number) if exact else round(number * _MICROS[spec.unit])) // 1_000


def _number(value: object) -> int | float | None:
    """Return a finite number or the number that a text holds; None for all else."""
    if isinstance(value, str):
        try:
            (value,) = _numbers([value])
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def _hint(value: object, spec: TimeColumn) -> str:
    """Name the unit in which a number would be a time of our days; a wrong unit is the usual cause."""
    number = _number(value)
    if number is None:
        return ""
    for unit, scale in _PER_SECOND.items():
        # From 2000 to 2100: no number fits two units there.
        if unit is not spec.unit and 946_684_800 * scale <= number < 4_102_444_800 * scale:
            return f"; it would be a time of our days in {unit}: set time.unit to {unit}"
    return "; check time.unit (iso, s, ms or us)"


def _shown(value: object) -> str:
    # Python refuses to write out a number of more than 4,300 digits.
    text = "(a number of more than 64 bits)" if isinstance(value, int) and abs(value) >> 64 else repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
