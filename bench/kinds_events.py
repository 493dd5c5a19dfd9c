"""Events that open something, and the time in which something is wrong, as bench.kinds compares them."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

DRIFT: Final = "drift.opened"
QUALITY: Final = "quality.violated"
PREDICTION: Final = "prediction.violated"
OPERATIONS: Final = "operations.violated"
PERFORMANCE: Final = "performance.degraded"
WHOLE: Final = "window.report"
"""Of windows that drifted as a whole."""

_OPENING: Final = (DRIFT, QUALITY, PREDICTION, OPERATIONS, PERFORMANCE, WHOLE)

Span = tuple[datetime, datetime]
"""Start and end, the end excluded."""

Troubles = dict[tuple[str, str], tuple[Span, ...]]
"""When something is wrong, by ``(what, column)``; the column is empty where `what` says it."""


class _Window(msgspec.Struct, frozen=True):
    start: str
    end: str


class _Check(msgspec.Struct, frozen=True):
    name: str


class _Result(msgspec.Struct, frozen=True):
    feature: str


class _Segments(msgspec.Struct, frozen=True):
    named: tuple[str, ...] = ()


class _Data(msgspec.Struct, frozen=True):
    window: _Window
    feature: str = ""
    check: _Check | None = None
    result: _Result | None = None
    segments: tuple[_Segments, ...] = ()
    drifted: bool = True


class Opening(msgspec.Struct, frozen=True):
    """An event that tells of something new."""

    type: str
    data: _Data

    @property
    def window(self) -> Span:
        """The window that it tells of."""
        return moment(self.data.window.start), moment(self.data.window.end)

    @property
    def check(self) -> str:
        """The name of the check; empty of a drift."""
        return "" if self.data.check is None else self.data.check.name

    @property
    def feature(self) -> str:
        """The column; empty of whole records."""
        return self.data.feature if self.data.result is None else self.data.result.feature

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments that explain a drift."""
        return tuple(name for column in self.data.segments for name in column.named)


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of a stream, and what was told of it in this order."""

    troubles: Troubles
    openings: tuple[Opening, ...]

    def is_false(self, opening: Opening) -> bool:
        """Whether nothing at all was wrong in the window of an event, and in the one before it."""
        return not any(self.is_during(opening, trouble) for trouble in self.troubles)

    def is_during(self, opening: Opening, trouble: tuple[str, str]) -> bool:
        """Whether this was wrong in the window of an event, or in the one before it."""
        start, end = opening.window
        return any(low < end and start - (end - start) < high for low, high in self.troubles[trouble])


def openings(lines: list[bytes]) -> tuple[Opening, ...]:
    """Read the events of a log that open something, or say that a window drifted as a whole."""
    types = (msgspec.json.decode(line, type=_Typed).type for line in lines)
    chosen = (line for line, type_ in zip(lines, types, strict=True) if type_.endswith(_OPENING))
    found = (msgspec.json.decode(line, type=Opening) for line in chosen)
    return tuple(opening for opening in found if opening.data.drifted)


class _Typed(msgspec.Struct, frozen=True):
    type: str


def windows_after(opening: Opening, began: datetime) -> int:
    """Return how many windows ended after something began, up to and with the one of the event."""
    start, end = opening.window
    size: timedelta = end - start
    return -((began - end) // size)


def moment(text: str) -> datetime:
    """Read a time."""
    return datetime.fromisoformat(text).astimezone(UTC)
