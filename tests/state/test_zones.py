from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.durations import Axis
from state.grid import WindowSpec, build_grid
from state.zones import wall_clock

# Among them a half-hour change, a month in which clocks are set back (Ramadan in Casablanca), a day that does
# not exist (2011-12-30 in Apia), and one that was lived twice (1969-09-30 in Kwajalein).
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "Asia/Kolkata",
]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE, DAY = 60_000, 86_400_000
YEARS = (-20 * 365 * DAY, 100 * 365 * DAY)

zones = st.sampled_from(ZONES)


def there(zone: str, time: int) -> datetime:
    return (EPOCH + timedelta(milliseconds=time)).astimezone(ZoneInfo(zone))


def shown(zone: str, time: int) -> int:
    """Oracle: what a clock on the wall shows, repeated hours and all."""
    return (there(zone, time).replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


@lru_cache
def transitions(zone: str) -> list[int]:
    """Minutes at which the offset changes between 1950 and 2070, found hour by hour."""
    found, info, hour = [], ZoneInfo(zone), timedelta(hours=1)
    moment = EPOCH + timedelta(milliseconds=YEARS[0])
    offset = moment.astimezone(info).utcoffset()
    day = timedelta(days=1)
    while moment < EPOCH + timedelta(milliseconds=YEARS[1]):
        if (moment + day).astimezone(info).utcoffset() == offset:
            moment += day
            continue
        while (moment + hour).astimezone(info).utcoffset() == offset:
            moment += hour
        while (moment + timedelta(minutes=1)).astimezone(info).utcoffset() == offset:
            moment += timedelta(minutes=1)
        moment += timedelta(minutes=1)
        offset = moment.astimezone(info).utcoffset()
        found.append((moment - EPOCH) // timedelta(milliseconds=1))
    return found


@st.composite
def moments(draw: st.DrawFn, zone: str) -> int:
    """Draw any time, mostly one near a change of the clocks."""
    known = transitions(zone)
    if not known or draw(st.integers(0, 3)) == 0:
        return draw(st.integers(*YEARS))
    around = st.integers(-26 * 60, 26 * 60).map(lambda m: m * MINUTE) | st.integers(-2, 2)
    return draw(st.sampled_from(known)) + draw(around)


@settings(max_examples=300)
@given(zone=zones, data=st.data())
def test_local_time_is_zoneinfos_outside_the_second_pass(zone: str, data: st.DataObject) -> None:
    time = data.draw(moments(zone))
    found = int(wall_clock(zone).local(np.array([time]))[0])
    # The clock has stood still exactly where an earlier instant showed the same or more.
    if not there(zone, time).fold:
        assert found == shown(zone, time)
    else:
        assert found >= shown(zone, time)
        before = max(t for t in transitions(zone) if t <= time)
        assert found == shown(zone, before - 1)


@settings(max_examples=300)
@given(zone=zones, data=st.data())
def test_local_time_never_decreases(zone: str, data: st.DataObject) -> None:
    times = sorted(data.draw(st.lists(moments(zone), min_size=2, max_size=30)))
    assert (np.diff(wall_clock(zone).local(np.array(times))) >= 0).all()


@settings(max_examples=300)
@given(zone=zones, data=st.data())
def test_instant_is_the_least_that_shows_so_much(zone: str, data: st.DataObject) -> None:
    clock = wall_clock(zone)
    local = shown(zone, data.draw(moments(zone))) + data.draw(st.integers(-2, 2))
    found = clock.instant(local)
    at, before = clock.local(np.array([found, found - 1])).tolist()
    # Local time never decreases (above), so nothing earlier can show it when the millisecond before does not.
    assert before < local <= at


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        # 2025-10-26T01:00Z, an hour back; 2025-03-30T01:00Z, an hour ahead (EU Directive 2000/84/EC).
        ("Europe/Berlin", 1_761_440_400_000),
        ("Europe/Berlin", 1_743_296_400_000),
        # 2025-11-02T06:00Z (US Energy Policy Act of 2005).
        ("America/New_York", 1_762_063_200_000),
        # 2025-04-05T15:00Z, half an hour back (IANA tz database).
        ("Australia/Lord_Howe", 1_743_865_200_000),
        # 2011-12-30T10:00Z: the day of 2011-12-30 does not exist (IANA tz database).
        ("Pacific/Apia", 1_325_239_200_000),
    ],
)
def test_around_a_change_every_minute_is_as_brute_force_says(zone: str, change: int) -> None:
    times = np.arange(change - 180 * MINUTE, change + 180 * MINUTE, MINUTE)
    assert any(there(zone, change - 1).utcoffset() != there(zone, t).utcoffset() for t in times.tolist())
    walls = [shown(zone, t) for t in range(change - 180 * MINUTE - 1, change + 180 * MINUTE - 1, MINUTE)]
    # A millisecond before each minute, so that the clock stands at the last it showed.
    found = wall_clock(zone).local(times - 1)
    assert found.tolist() == np.maximum.accumulate(walls).tolist()


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        wall_clock("Europe/Atlantis")


@settings(max_examples=200)
@given(zone=zones, data=st.data())
def test_weeks_start_on_mondays_and_days_at_midnight(zone: str, data: st.DataObject) -> None:
    time = data.draw(moments(zone))
    for span, monday in ((7 * DAY, True), (DAY, False)):
        spec = WindowSpec(name="w", size=span, slide=span)
        grid = build_grid((spec,), axis=Axis.MILLISECONDS, zone=zone, origin=None)
        pane = grid.frontier(time)
        start = there(zone, grid.start_of(pane))
        assert grid.start_of(pane) <= time < grid.start_of(pane + 1)
        # Where clocks were moved at midnight the day starts with the first instant of its date.
        before = there(zone, grid.start_of(pane) - 1)
        assert before.date() < start.date()
        assert start.weekday() == 0 or not monday
        if zone in ("UTC", "Europe/Berlin", "America/New_York"):
            assert start.time() == time_of_day(0)
