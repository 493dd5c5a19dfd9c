"""Hypothesis strategies for rows, windows and grids."""

from dataclasses import dataclass
from math import inf, nan

from hypothesis import strategies as st

from state.durations import Axis
from state.grid import Grid, WindowSpec, build_grid
from tests.streams import Row

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

STARTS = {
    "UTC": [0, 1_767_571_200_000],
    # The hours around 2025-03-30T01:00Z and 2025-10-26T01:00Z, when Berlin changes its clocks.
    "Europe/Berlin": [1_743_296_400_000 - 2 * HOUR, 1_761_440_400_000 - 3 * HOUR],
    # 2025-10-04T15:30Z and 2025-04-05T15:00Z: Lord Howe Island moves its clocks by half an hour.
    "Australia/Lord_Howe": [1_759_591_800_000 - 2 * HOUR, 1_743_865_200_000 - 2 * HOUR],
}

SPANS = [15 * MINUTE, 30 * MINUTE, 45 * MINUTE, HOUR, 90 * MINUTE, 2 * HOUR, 5 * HOUR, DAY]

VALUES = st.one_of(
    st.sampled_from([nan, inf, 0.0, -0.0, 1.0, 2.5, 4.0]),
    st.floats(-10, 10, allow_nan=False),
    st.sampled_from([1e300, -1e300, 5e-324, 1e6]),
)

NAMES = st.none() | st.sampled_from(["a", "b", "rare", "new", "newer", "ä" * 150])


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a run of windows over a stream depends on."""

    specs: tuple[WindowSpec, ...]
    axis: Axis
    zone: str
    lateness: int
    streams: tuple[tuple[Row, ...], ...]

    @property
    def grid(self) -> Grid:
        return build_grid(self.specs, axis=self.axis, zone=self.zone, origin=None)


@st.composite
def window_specs(draw: st.DrawFn, spans: list[int]) -> tuple[WindowSpec, ...]:
    found = []
    for i in range(draw(st.integers(1, 3))):
        size = draw(st.sampled_from(spans))
        slide = draw(st.sampled_from([span for span in spans if span <= size]))
        found.append(WindowSpec(name=f"w{i}", size=size, slide=slide if draw(st.booleans()) else size))
    return tuple(found)


@st.composite
def rows(draw: st.DrawFn, start: int, *, most: int = 25) -> tuple[Row, ...]:
    """Draw rows whose time mostly advances, at times steps back, and at times leaves a gap of days."""
    step = st.one_of(
        st.integers(0, 20 * MINUTE),
        st.integers(0, 20 * MINUTE),
        st.integers(-3 * HOUR, 0),
        st.integers(2 * HOUR, 4 * DAY),
        # Exactly on the borders of windows.
        st.sampled_from([0, 15 * MINUTE, 30 * MINUTE, HOUR]),
    )
    time, found = start, []
    for _ in range(draw(st.integers(0, most))):
        time += draw(step)
        unusable = draw(st.integers(0, 19))
        found.append(
            Row(time, draw(VALUES), draw(NAMES), refused=unusable == 0, too_long=unusable == 1),
        )
    return tuple(found)


@st.composite
def timed_cases(draw: st.DrawFn) -> Case:
    zone = draw(st.sampled_from(sorted(STARTS)))
    start = draw(st.sampled_from(STARTS[zone]))
    offset = st.integers(-3 * HOUR, 3 * HOUR)
    count = draw(st.integers(1, 4))
    return Case(
        specs=draw(window_specs(SPANS)),
        axis=Axis.MILLISECONDS,
        zone=zone,
        lateness=draw(st.sampled_from([0, 1, 10 * MINUTE, HOUR, 5 * HOUR])),
        streams=tuple(draw(rows(start + draw(offset))) for _ in range(count)),
    )


@st.composite
def row_number_cases(draw: st.DrawFn) -> Case:
    """Draw one partition whose axis is the row's number: refused records leave gaps in it."""
    drawn = draw(rows(0, most=40))
    return Case(
        specs=draw(window_specs([1, 2, 3, 4, 6, 9])),
        axis=Axis.ROWS,
        zone="UTC",
        lateness=0,
        streams=(
            tuple(
                Row(number, row.x, row.c, refused=row.refused, too_long=row.too_long)
                for number, row in enumerate(drawn)
            ),
        ),
    )
