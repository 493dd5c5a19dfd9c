from itertools import pairwise
from math import pi, sin

import msgspec
import numpy as np
import pytest

from detectors.checks import Check, CheckStatus
from state.durations import Axis
from state.grid import Grid, WindowSpec, build_grid
from state.record_volume import BURST, EMPTY, LOW, NOTHING, VolumeChecks
from state.scoring import Checked, Gap
from state.sketches.base import ROWS, empty
from state.sketches.records import RECORDS
from state.volume_memory import MOST_WINDOWS, VolumeMemory
from state.windows import ClosedWindow, EmptySpan

HOUR = 3_600_000
LEVEL = 1e-5
GRID: Grid = build_grid(
    (WindowSpec(name="hour", size=HOUR, slide=HOUR), WindowSpec(name="slid", size=HOUR, slide=HOUR // 4)),
    axis=Axis.MILLISECONDS,
    zone="UTC",
    origin=None,
)
WEEK = 7 * 24
CHECKS = {"v": VolumeChecks(grid=GRID, known=(NOTHING, NOTHING), factor=2.0, limits={})}


def hour(number: int, rows: int, *, spec: int = 0, partial: bool = False) -> Checked:
    """The window of an hour, as the compare step sends it on."""
    sketch = empty(4)
    sketch.counters[ROWS] = rows
    start = number * 4
    window = ClosedWindow(spec, start, start + 4, sketch, partial=partial, filled=4)
    return Checked(
        feature=RECORDS,
        spec=spec,
        start=start,
        end=start + 4,
        reference="v",
        partial=partial,
        incomplete=False,
        rows=rows,
        late=0,
        checks=CHECKS["v"].of_window(window, LEVEL),
    )


def gap(number: int) -> Gap:
    span = EmptySpan(0, number * 4, number * 4 + 4, 1)
    return Gap(
        feature=RECORDS,
        spec=0,
        start=span.start,
        end=span.end,
        reference="v",
        windows=1,
        checks=CHECKS["v"].of_gap(span, LEVEL),
    )


def statuses(found: Checked | Gap) -> dict[str, CheckStatus]:
    return {check.name: check.status for check in found.checks}


def season(number: int) -> float:
    return 400.0 * (1.0 + 0.7 * sin(2 * pi * number / 24))


def learned(weeks: int = 1, *, seed: int = 1) -> VolumeMemory:
    rng = np.random.default_rng(seed)
    memory = VolumeMemory.start(CHECKS)
    for number in range(weeks * WEEK):
        said = statuses(memory.weigh(hour(number, int(rng.poisson(season(number))))))
        assert CheckStatus.VIOLATED not in said.values()
    return memory


def test_the_first_week_says_nothing() -> None:
    memory = VolumeMemory.start(CHECKS)
    for number in range(WEEK):
        said = memory.weigh(hour(number, 400 if number != 50 else 0))
        assert set(statuses(said).values()) == {CheckStatus.INSUFFICIENT}
    assert set(statuses(memory.weigh(hour(WEEK, 400))).values()) == {CheckStatus.OK}


@pytest.mark.parametrize("seed", range(3))
def test_a_seasonal_stream_raises_no_alarm_and_a_flood_or_an_outage_does(seed: int) -> None:
    memory = learned(3, seed=seed)
    assert statuses(memory.weigh(hour(3 * WEEK, 8_000)))[BURST] is CheckStatus.VIOLATED
    found = memory.weigh(gap(3 * WEEK + 1))
    assert statuses(found) == {LOW: CheckStatus.VIOLATED}
    assert isinstance(found, Gap)
    assert found.checks[0].source.startswith("the 504 windows before")


def test_a_violation_is_not_learnt_from_until_it_has_lasted_a_week() -> None:
    memory = learned()
    for number in range(WEEK, 2 * WEEK - 1):
        assert statuses(memory.weigh(hour(number, 10_000)))[BURST] is CheckStatus.VIOLATED
    # A week after the last window that was none, what has come since is the new normal.
    said = [
        statuses(memory.weigh(hour(number, 10_000)))[BURST] for number in range(2 * WEEK - 1, 3 * WEEK + 1)
    ]
    assert said[-1] is CheckStatus.OK


def test_windows_that_are_cut_off_or_overlap_are_not_learnt_from() -> None:
    memory = VolumeMemory.start(CHECKS)
    memory.weigh(hour(0, 5, partial=True))
    assert memory.past == {}
    slid = [hour(0, 400, spec=1), hour(1, 400, spec=1)]
    between = [msgspec.structs.replace(slid[0], start=1, end=5)]
    for window in (*slid[:1], *between, *slid[1:]):
        memory.weigh(window)
    assert [start for start, _, _ in memory.past[1]] == [0, 4]


def test_a_reference_that_knows_enough_is_not_asked_beside_the_past() -> None:
    known = CHECKS["v"].known[0]
    enough = VolumeChecks(
        grid=GRID,
        known=(
            type(known)(
                rows=np.full(200, 400),
                empty=np.zeros(200, dtype=np.int64),
                apart=200,
                span_ms=200 * HOUR,
                source="reference",
            ),
            NOTHING,
        ),
        factor=2.0,
        limits={},
    )
    memory = VolumeMemory.start({"v": enough})
    window = hour(3, 400)
    assert memory.weigh(window) is window
    assert memory.past == {}


def test_it_goes_on_from_its_bytes() -> None:
    rng = np.random.default_rng(2)
    rows = rng.poisson(400, WEEK + 20).tolist()
    straight, resumed = VolumeMemory.start(CHECKS), VolumeMemory.start(CHECKS)
    for number, count in enumerate(rows):
        wanted = straight.weigh(hour(number, count))
        resumed = VolumeMemory.start(CHECKS, resumed.snapshot())
        assert resumed.weigh(hour(number, count)) == wanted


def test_what_is_remembered_is_bounded() -> None:
    # Windows of a second: of four weeks no more than so many are kept.
    grid = build_grid(
        (WindowSpec(name="s", size=1_000, slide=1_000),), axis=Axis.MILLISECONDS, zone="UTC", origin=None
    )
    checks = VolumeChecks(grid=grid, known=(NOTHING,), factor=2.0, limits={})
    # Every 1,182nd is: four weeks in 2,048 windows.
    full = {0: [(1_182 * place, 5, 0) for place in range(MOST_WINDOWS)]}
    memory = VolumeMemory.start({"v": checks}, VolumeMemory({}, full).snapshot())
    for start in range(1_182 * MOST_WINDOWS, 1_182 * (MOST_WINDOWS + 5), 591):
        window = Checked(
            feature=RECORDS,
            spec=0,
            start=start,
            end=start + 1,
            reference="v",
            partial=False,
            incomplete=False,
            rows=5,
            late=0,
            checks=(_check(EMPTY),),
        )
        memory.weigh(window)
    past = memory.past[0]
    assert len(past) <= MOST_WINDOWS
    assert all(a[0] < b[0] for a, b in pairwise(past))
    assert (past[-1][0] - past[0][0]) * 1_000 <= 4 * WEEK * HOUR
    assert past[-1][0] == 1_182 * (MOST_WINDOWS + 4)


def _check(name: str) -> Check:
    return next(check for check in hour(0, 5).checks if check.name == name)
