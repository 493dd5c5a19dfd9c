"""Spans of event time as people write them: `15m`, `1h`, `7d`, `336 rows`."""

import re
from enum import StrEnum
from math import gcd

from detectors.base import DriftflowError

_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
LONGEST = 100 * 366 * 86_400_000
"""A hundred years: nothing that is meant, and far from where whole numbers or calendars end."""

_PART = re.compile(r"([0-9]{1,18})\s*(ms|s|m|h|d|w)")
_ROWS = re.compile(r"([0-9]{1,15})\s*rows?")


class DurationError(DriftflowError):
    """A text is not a span of time."""


class Axis(StrEnum):
    """What event time counts."""

    MILLISECONDS = "ms"
    ROWS = "rows"
    """The row's number in its file, for data without timestamps."""


def parse_span(text: str, axis: Axis) -> int:
    """Read a span in the unit of the axis: milliseconds or rows.

    Raises
    ------
    DurationError
        The text is no span of this axis.

    Examples
    --------
    >>> parse_span("1h30m", Axis.MILLISECONDS)
    5400000
    >>> parse_span("336 rows", Axis.ROWS)
    336
    """
    stripped = text.strip()
    if axis is Axis.ROWS:
        rows = _ROWS.fullmatch(stripped)
        if rows is None:
            raise DurationError(f"found {text!r}, wanted a number of rows such as '1000 rows'")
        return int(rows[1])
    parts = _PART.findall(stripped)
    if not parts or _PART.sub("", stripped).strip():
        raise DurationError(
            f"found {text!r}, wanted a duration such as '15m', '1h30m' or '7d' (units: ms, s, m, h, d, w)"
        )
    span = sum(int(number) * _MILLISECONDS[unit] for number, unit in parts)
    if span > LONGEST:
        raise DurationError(f"found {text!r}, wanted at most {format_span(LONGEST, axis)}")
    return span


def format_span(span: int, axis: Axis) -> str:
    """Write a span in its largest whole unit.

    Examples
    --------
    >>> format_span(604_800_000, Axis.MILLISECONDS)
    '7d'
    >>> format_span(336, Axis.ROWS)
    '336 rows'
    """
    if axis is Axis.ROWS:
        return f"{span} row" if span == 1 else f"{span} rows"
    for unit in ("d", "h", "m", "s"):
        if span and gcd(span, _MILLISECONDS[unit]) == _MILLISECONDS[unit]:
            return f"{span // _MILLISECONDS[unit]}{unit}"
    return f"{span}ms"
