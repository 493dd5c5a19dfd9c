from dataclasses import replace

import numpy as np
import pytest

from detectors.base import IntArray
from detectors.checks import Check, CheckStatus, Given
from state.arrivals import ArrivalCounter
from state.durations import Axis
from state.grid import Grid, WindowSpec, build_grid
from state.record_checks import ErrorRule, RecordChecks, RecordRules, check_names
from state.record_facts import RecordFacts
from state.record_volume import NOTHING, Known, VolumeChecks, known_windows
from state.sketches.keys import key_sample
from state.sketches.records import RecordLayout, Seen
from state.windows import ClosedWindow, EmptySpan

REASONS = ("malformed", "no_time", "wrong_type")
HOUR = 3_600_000
LAYOUT = RecordLayout(
    reasons=REASONS,
    columns=("x", "c"),
    paths={"x": "x", "c": "in.c"},
    known=frozenset({"x", "in.c", "id", "rare"}),
)
RULES = RecordRules(level=1e-4, min_excess=0.01, min_rows=50, limits={})
GRID: Grid = build_grid(
    (WindowSpec(name="w", size=HOUR, slide=HOUR // 4),),
    axis=Axis.MILLISECONDS,
    zone="Europe/Berlin",
    origin=None,
)


def hashes(rng: np.random.Generator, size: int) -> IntArray:
    return rng.integers(0, 2**63 - 1, size)


def facts(rng: np.random.Generator, *, copies: int = 0, rows: int = 20_000) -> RecordFacts:
    own = hashes(rng, rows - copies)
    return RecordFacts(
        rows=rows,
        keyed=rows,
        keys=key_sample(np.concatenate([own, own[:copies]])),
        refused={"malformed": rows // 100},
        wrong={},
        sampled=rows // 4,
        fields={"x": rows // 4, "in.c": rows // 4, "id": rows // 4, "rare": 1},
        arrivals=None,
    )


def checks(known: RecordFacts | None, rules: RecordRules | None = RULES) -> RecordChecks:
    return RecordChecks(layout=LAYOUT, facts=known, rules=rules, volume=None, errors=None)


def window(seen: Seen, *, filled: int = 4, start: int = 0) -> ClosedWindow:
    return ClosedWindow(0, start, start + 4, LAYOUT.sketch(seen), filled=filled)


def of(found: tuple[Check, ...], name: str) -> Check:
    return next(check for check in found if check.name == name)


def calm(rng: np.random.Generator, rows: int) -> Seen:
    return Seen(
        rows=rows,
        keys=hashes(rng, rows),
        refused={("malformed", None): int(rng.binomial(rows, 0.01))},
        fields={("x", "in.c", "id"): rows // 32},
    )


def test_every_window_has_the_same_checks_in_the_same_order() -> None:
    rng = np.random.default_rng(1)
    names = check_names(REASONS)
    assert names[0] == "duplicate_share"
    for known in (facts(rng), None):
        for rows in (0, 3, 2_000):
            found = checks(known).of_window(window(calm(rng, rows)))
            assert tuple(check.name for check in found) == names


@pytest.mark.parametrize("rows", [200, 1_000, 8_000])
@pytest.mark.parametrize("copies", [0, 300])
def test_windows_like_the_reference_are_no_violations(rows: int, copies: int) -> None:
    rng = np.random.default_rng(2)
    judge = checks(facts(rng, copies=copies), replace(RULES, level=0.05))
    violated = 0
    for _ in range(150):
        seen = calm(rng, rows)
        again = int(rng.binomial(rows, copies / 20_000))
        keys = np.concatenate([seen.keys[again:], seen.keys[:again]]) if again else seen.keys
        found = judge.of_window(window(replace(seen, keys=keys)))
        violated += any(check.status is CheckStatus.VIOLATED for check in found)
    # At most 5 % of windows: binomial with n = 150 and p = .05 is at most 17 with a chance of .999.
    assert violated <= 17


@pytest.mark.parametrize("rows", [800, 6_000])
def test_records_that_came_twice_are_seen(rows: int) -> None:
    rng = np.random.default_rng(3)
    own = hashes(rng, rows)
    seen = replace(calm(rng, rows), rows=rows + rows // 10, keys=np.concatenate([own, own[: rows // 10]]))
    check = of(checks(facts(rng)).of_window(window(seen)), "duplicate_share")
    assert check.status is CheckStatus.VIOLATED
    assert check.value == pytest.approx(1 / 11, abs=0.03)
    assert check.detail == ("" if rows < 1_024 else "from 1024 of the keys")


def test_one_key_of_very_many_records_is_seen() -> None:
    rng = np.random.default_rng(4)
    keys = np.concatenate([hashes(rng, 5_000), np.full(5_000, 2**62)])
    check = of(checks(facts(rng)).of_window(window(replace(calm(rng, 10_000), keys=keys))), "duplicate_share")
    # 5,001 keys of 10,000 records; five standard errors of 1/32 are held back.
    assert check.status is CheckStatus.VIOLATED
    assert check.value is not None
    assert 0.3 < check.value < 0.5


def test_a_window_larger_than_the_reference_may_have_more_copies() -> None:
    rng = np.random.default_rng(5)
    # Keys out of 50,000: of 2,000 records about 2 % are copies by chance, of 20,000 about 17 %.
    table = hashes(rng, 50_000)
    known = table[rng.integers(0, 50_000, 2_000)]
    judge = checks(replace(facts(rng), rows=2_000, keyed=2_000, keys=key_sample(known)))
    for rows in (500, 2_000, 20_000):
        seen = replace(calm(rng, rows), keys=table[rng.integers(0, 50_000, rows)])
        assert of(judge.of_window(window(seen)), "duplicate_share").status is not CheckStatus.VIOLATED


def test_refusals_by_reason_and_columns_by_name() -> None:
    rng = np.random.default_rng(6)
    seen = replace(
        calm(rng, 1_000),
        refused={
            ("no_time", None): 60,
            ("wrong_type", "c"): 80,
            ("wrong_type", "x"): 30,
            ("wrong_type", None): 1,
        },
    )
    found = checks(facts(rng)).of_window(window(seen))
    assert of(found, "refused_malformed").status is CheckStatus.OK
    assert of(found, "refused_no_time").status is CheckStatus.VIOLATED
    assert of(found, "refused_no_time").value == pytest.approx(60 / 1_171)
    types = of(found, "type_changes")
    assert (types.status, types.detail) == (CheckStatus.VIOLATED, "c, x")
    assert types.value == pytest.approx(80 / 1_171)


def test_new_fields_and_lost_ones() -> None:
    rng = np.random.default_rng(7)
    seen = replace(calm(rng, 2_000), fields={("x", "id", "brand_new"): 40, ("x", "in.c"): 22})
    found = checks(facts(rng)).of_window(window(seen))
    unknown, absent = of(found, "unknown_fields"), of(found, "absent_fields")
    assert (unknown.status, unknown.detail) == (CheckStatus.VIOLATED, "brand_new")
    assert unknown.value == pytest.approx(40 / 62)
    assert (absent.status, absent.detail) == (CheckStatus.VIOLATED, "c")
    assert absent.value == pytest.approx(40 / 62)


def test_a_reference_without_facts_says_nothing_but_limits_do() -> None:
    rng = np.random.default_rng(8)
    own = hashes(rng, 500)
    seen = replace(calm(rng, 1_000), keys=np.concatenate([own, own]))
    found = checks(None).of_window(window(seen))
    assert {check.status for check in found} == {CheckStatus.INSUFFICIENT}
    given = replace(RULES, limits={"duplicate_share": Given(upper=0.02)})
    limited = checks(None, given).of_window(window(seen))
    assert of(limited, "duplicate_share").status is CheckStatus.VIOLATED
    assert of(limited, "duplicate_share").value == 0.5


def test_errors_need_more_than_is_allowed_and_no_chance() -> None:
    rule = ErrorRule(allowed=0.05, level=1e-4, min_rows=50)
    judge = replace(checks(None, None), errors=rule)

    def status(statuses: int, errors: int) -> CheckStatus:
        (check,) = judge.of_window(window(Seen(rows=statuses, statuses=statuses, errors=errors)))
        assert check.name == "error_rate"
        return check.status

    assert status(10, 10) is CheckStatus.INSUFFICIENT
    assert status(1_000, 50) is CheckStatus.OK
    assert status(100, 8) is CheckStatus.OK
    assert status(1_000, 100) is CheckStatus.VIOLATED


def volume(known: Known = NOTHING, **limits: Given) -> VolumeChecks:
    return VolumeChecks(grid=GRID, known=(known,), factor=2.0, limits=limits)


WEEK = Known(
    rows=np.random.default_rng(9).poisson(400, 700),
    empty=np.zeros(700, dtype=np.int64),
    apart=168,
    span_ms=168 * HOUR,
    source="reference",
)


def test_windows_that_are_too_empty_or_too_full() -> None:
    judge = replace(checks(None), volume=volume(WEEK))

    def statuses(rows: int, filled: int = 4) -> list[CheckStatus]:
        found = judge.of_window(window(Seen(rows=rows, keys=np.zeros(rows, dtype=np.int64)), filled=filled))
        return [check.status for check in found[:3]]

    ok, bad = CheckStatus.OK, CheckStatus.VIOLATED
    assert statuses(400) == [ok, ok, ok]
    assert statuses(100) == [bad, ok, ok]
    assert statuses(1_200) == [ok, bad, ok]
    # A quarter of an hour without a row, in a stream with a hundred in each.
    assert statuses(300, filled=3) == [ok, ok, bad]
    (gap,) = judge.of_gap(EmptySpan(0, 0, 8, 2))
    assert (gap.name, gap.status, gap.value) == ("low_volume", bad, 0.0)


def test_a_cut_off_window_says_nothing_of_its_rows() -> None:
    judge = volume(WEEK)
    for cut in (window(Seen(rows=5))._replace(partial=True), window(Seen(rows=5))._replace(incomplete=True)):
        assert {check.status for check in judge.of_window(cut, 1e-5)} == {CheckStatus.INSUFFICIENT}


def test_limits_of_ones_own_need_no_week() -> None:
    judge = volume(low_volume=Given(lower=100), empty_panes=Given(upper=1))
    found = judge.of_window(window(Seen(rows=50, keys=np.zeros(50, dtype=np.int64)), filled=1), 1e-5)
    assert [check.status for check in found] == [
        CheckStatus.VIOLATED,
        CheckStatus.INSUFFICIENT,
        CheckStatus.VIOLATED,
    ]


def test_where_a_stream_begins_or_ends_few_rows_mean_nothing() -> None:
    judge = volume(low_volume=Given(lower=100), empty_panes=Given(upper=1), volume_burst=Given(upper=40))
    few = window(Seen(rows=50, keys=np.zeros(50, dtype=np.int64)), filled=1)
    assert [check.status for check in judge.of_window(few._replace(edge=True), 1e-5)] == [
        CheckStatus.INSUFFICIENT,
        # More rows than ever in a part of a window are more than ever.
        CheckStatus.VIOLATED,
        CheckStatus.INSUFFICIENT,
    ]


def test_the_hour_that_clocks_skip_is_not_empty() -> None:
    # Berlin sets its clocks forward on 2026-03-29 at 01:00Z, 02:00 on the wall.
    start = GRID.frontier(1_774_742_400_000)
    skipped = [pane for pane in range(start, start + 24) if GRID.start_of(pane) == GRID.start_of(pane + 1)]
    assert len(skipped) == 4
    inside = ClosedWindow(0, skipped[0] - 2, skipped[0] + 2, LAYOUT.sketch(Seen(rows=9)), filled=2)
    assert volume().empty_panes(inside) == 0
    assert volume().empty_panes(inside._replace(filled=1)) == 1


def test_a_reference_of_a_week_is_enough_and_one_of_six_days_is_not() -> None:
    for days, enough in ((6, False), (7, True)):
        counter = ArrivalCounter()
        # A row every half a minute, beginning in the middle of a cell.
        counter.add(np.arange(0, days * 24 * HOUR, 30_000) + 1_767_571_317_000)
        (known,) = known_windows(counter.arrivals, GRID)
        assert known.enough is enough
        assert (known.apart, int(known.rows.min()), int(known.rows.max())) == (days * 24 - 1, 120, 120)
        assert int(known.empty.max()) == 0
