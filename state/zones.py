"""Wall-clock time of a zone as a clock that never runs backwards."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from detectors.base import IntArray

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -70 * 365, 230 * 365  # days around the epoch in which transitions are looked for
_PROBE_DAYS = 3  # no zone changes its offset twice within three days


@dataclass(frozen=True, slots=True)
class WallClock:
    """Offsets of a zone from UTC, and the wall-clock time they give.

    Where clocks are set back, an hour is lived twice; the second time this clock stands still until that
    hour is over. So wall-clock time never decreases, and a boundary at 02:30 is crossed once.

    Attributes
    ----------
    starts
        Instants from which each offset holds, milliseconds since the epoch, shape ``(k,)``, increasing.
    offsets
        Offset from UTC in milliseconds, shape ``(k,)``.
    """

    starts: IntArray
    offsets: IntArray

    def local(self, times: IntArray) -> IntArray:
        """Wall-clock milliseconds of instants, same shape."""
        if len(self.starts) == 1:
            return times + int(self.offsets[0])
        segment = np.maximum(np.searchsorted(self.starts, times, side="right") - 1, 0)
        before = np.maximum(segment - 1, 0)
        held = self.starts[segment] + self.offsets[before] - 1
        moved = times + self.offsets[segment]
        return np.where(segment > 0, np.maximum(moved, held), moved).astype(np.int64, copy=False)

    def instant(self, local: int) -> int:
        """Return the first instant at which the wall clock shows `local` or more."""
        if len(self.starts) == 1:
            return local - int(self.offsets[0])
        ends = np.maximum.accumulate(self.starts[1:] + self.offsets[:-1])
        segment = int(np.searchsorted(ends, local, side="right"))
        return max(local - int(self.offsets[segment]), int(self.starts[segment]))


@lru_cache(maxsize=32)
def wall_clock(zone: str) -> WallClock:
    """Find the transitions of an IANA zone between 1900 and 2200, to the second.

    Raises
    ------
    ZoneInfoNotFoundError
        There is no such zone.
    """
    info = ZoneInfo(zone)

    def offset(seconds: int) -> int:
        found = (_EPOCH + timedelta(seconds=seconds)).astimezone(info).utcoffset()
        assert found is not None
        return int(found / timedelta(milliseconds=1))

    starts, offsets = [_FIRST * 86_400], [offset(_FIRST * 86_400)]
    for day in range(_FIRST, _LAST, _PROBE_DAYS):
        low, high = day * 86_400, (day + _PROBE_DAYS) * 86_400
        if offset(high) == offsets[-1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
        starts.append(high)
        offsets.append(offset(high))
    return WallClock(np.array(starts, dtype=np.int64) * 1000, np.array(offsets, dtype=np.int64))
