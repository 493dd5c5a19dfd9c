"""Windows by brute force: plain Python over rows, wall-clock time straight from zoneinfo."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import gcd, inf, isfinite, isnan
from zoneinfo import ZoneInfo

from state.durations import Axis
from state.grid import MONDAY, WindowSpec
from state.sketches.base import NAME_LENGTH, NAME_SAMPLE, name_hash
from state.sketches.categorical import Categories
from state.sketches.numeric import SQUARE_BITS, SQUARE_CAP, SUM_BITS, SUM_CAP, NumericBins
from tests.strategies import Case
from tests.streams import Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@lru_cache(maxsize=100_000)
def shown(zone: str, time: int) -> int:
    """What a clock on the wall shows, as milliseconds since 1970 on that clock."""
    there = (_EPOCH + timedelta(milliseconds=time)).astimezone(ZoneInfo(zone))
    return (there.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND


@lru_cache(maxsize=100_000)
def local(zone: str, time: int) -> int:
    """The largest that the clock on the wall has ever shown: found at the last change before, if any."""
    there = (_EPOCH + timedelta(milliseconds=time)).astimezone(ZoneInfo(zone))
    if not there.fold:
        return shown(zone, time)
    low, high = time - 2 * 86_400_000, time
    offset = there.utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        moved = (_EPOCH + timedelta(milliseconds=middle)).astimezone(ZoneInfo(zone))
        low, high = (low, middle) if moved.utcoffset() == offset else (middle, high)
    return shown(zone, low)


@dataclass(frozen=True, slots=True)
class Found:
    """One window: borders on the wall clock, its rows, and how many were late while it was open."""

    spec: int
    start: int
    end: int
    rows: tuple[Row, ...]
    late: int
    partial: bool


@dataclass(frozen=True, slots=True)
class Empty:
    """A span of windows without rows."""

    spec: int
    start: int
    end: int
    windows: int


@dataclass(frozen=True, slots=True)
class _Placed:
    """Rows on time by their place on the wall clock, and the places where time stood at late rows."""

    on_time: list[tuple[int, Row]]
    late: list[int]
    last: int


def windows_of(case: Case) -> list[Found | Empty]:
    """Give all windows in the order in which they must come."""
    timed = case.axis is Axis.MILLISECONDS
    origin = MONDAY if timed else 0
    pane = gcd(*(n for spec in case.specs for n in (spec.size, spec.slide)))
    placed = _placed(case, pane, lambda time: (local(case.zone, time) if timed else time) - origin)
    if not placed.on_time:
        return []
    first_pane_start = min(place for place, _ in placed.on_time) // pane * pane
    last_pane_end = (placed.last // pane + 1) * pane
    found = [
        item
        for index, spec in enumerate(case.specs)
        for item in _of_spec(index, spec, placed, origin, (first_pane_start, last_pane_end))
    ]
    return [window for _, window in sorted(found, key=lambda item: item[0])]


def _placed(case: Case, pane: int, clock: Callable[[int], int]) -> _Placed:
    on_time, late = list[tuple[int, Row]](), list[int]()
    for stream in case.streams:
        latest: int | None = None
        for row in stream:
            if row.refused or row.too_long:
                continue
            pane_end = (clock(row.time) // pane + 1) * pane
            if latest is not None and pane_end <= clock(latest - case.lateness):
                late.append(clock(latest))
                continue
            on_time.append((clock(row.time), row))
            latest = row.time if latest is None else max(latest, row.time)
    return _Placed(on_time, late, max((place for place, _ in on_time), default=0))


def _of_spec(
    index: int, spec: WindowSpec, placed: _Placed, origin: int, reach: tuple[int, int]
) -> Iterator[tuple[tuple[int, int, int], Found | Empty]]:
    first_pane_start, last_pane_end = reach
    held, late_in = dict[int, list[Row]](), Counter[int]()
    for place, row in placed.on_time:
        for k in _covering(place, spec.size, spec.slide):
            held.setdefault(k, []).append(row)
    for place in placed.late:
        late_in.update(_covering(place, spec.size, spec.slide))
    # The first window that ends behind the last row is the last one.
    final = -((spec.size - last_pane_end) // spec.slide)
    before: int | None = None
    for k in sorted(k for k in held if k <= final):
        start = origin + k * spec.slide
        if before is not None and k > before + 1:
            skipped = origin + (before + 1) * spec.slide
            gap = Empty(index, skipped, start - spec.slide + spec.size, k - before - 1)
            yield (start + spec.size, index, 0), gap
        inside = first_pane_start <= k * spec.slide and k * spec.slide + spec.size <= last_pane_end
        window = Found(index, start, start + spec.size, tuple(held[k]), late_in[k], not inside)
        yield (start + spec.size, index, 1), window
        before = k


def _covering(place: int, size: int, slide: int) -> range:
    """Windows ``[k * slide, k * slide + size)`` that hold a place."""
    return range((place - size) // slide + 1, place // slide + 1)


def numeric_counters(bins: NumericBins, rows: Sequence[Row], late: int) -> tuple[list[int], float, float]:
    """Counters and extremes of a numeric column, row by row in whole numbers of Python."""
    counts, sums = [0] * bins.bins, [0] * bins.bins
    squares = missing = non_finite = 0
    low, high = inf, -inf
    for row in rows:
        if isnan(row.x):
            missing += 1
        elif not isfinite(row.x):
            non_finite += 1
        else:
            place = sum(row.x > edge for edge in bins.edges.tolist())
            units = (row.x - bins.center) / bins.unit
            counts[place] += 1
            sums[place] += round(min(max(units, -SUM_CAP), SUM_CAP) * 2**SUM_BITS)
            squares += round(min(units * units, SQUARE_CAP) * 2**SQUARE_BITS)
            low, high = min(low, row.x), max(high, row.x)
    return [len(rows), late, missing, non_finite, *counts, *sums, squares], low, high


def categorical_counters(
    bins: Categories, rows: Sequence[Row], late: int
) -> tuple[list[int], tuple[tuple[int, str], ...]]:
    """Counters and new names of a categorical column, row by row."""
    known = (*bins.names, *bins.rare)
    counts = [sum(row.c == name for row in rows) for name in bins.names]
    new = {row.c for row in rows if row.c is not None and row.c not in known}
    return [
        len(rows),
        late,
        sum(row.c is None for row in rows),
        0,
        *counts,
        sum(row.c in bins.rare for row in rows),
        sum(row.c in new for row in rows),
    ], tuple(sorted((name_hash(name), name[:NAME_LENGTH]) for name in new)[:NAME_SAMPLE])
