from hypothesis import given
from hypothesis import strategies as st

from flows.pace import Pace
from state.grid import END


def test_who_is_far_ahead_waits_for_the_slowest() -> None:
    pace = Pace(lead=10)
    for name in ("a", "b"):
        pace.enter(name)
    # Nobody knows yet how far the other is.
    assert not pace.must_wait("a")
    pace.reached("a", 100)
    assert not pace.must_wait("a")
    pace.reached("b", 90)
    assert not pace.must_wait("a")
    pace.reached("b", 89)
    assert pace.must_wait("a")
    assert not pace.must_wait("b")
    pace.leave("b")
    assert not pace.must_wait("a")


def test_a_partition_without_a_row_holds_nobody_up() -> None:
    pace = Pace(lead=0)
    for name in ("a", "b"):
        pace.enter(name)
    pace.reached("a", 5)
    pace.reached("b", None)
    assert not pace.must_wait("a")
    assert not pace.must_wait("b")


def test_who_has_left_or_never_came_does_not_wait() -> None:
    pace = Pace(lead=0)
    assert not pace.must_wait("a")
    pace.leave("a")
    pace.reached("b", 0)
    pace.reached("a", 5)
    pace.leave("a")
    assert not pace.must_wait("a")


@given(
    lead=st.integers(0, 5),
    times=st.dictionaries(st.sampled_from("abcd"), st.none() | st.integers(0, 30), min_size=1),
)
def test_somebody_can_always_read(lead: int, times: dict[str, int | None]) -> None:
    pace = Pace(lead=lead)
    for name, time in times.items():
        pace.enter(name)
        pace.reached(name, time)
    waiting = {name for name in times if pace.must_wait(name)}
    assert waiting < set(times)
    known = [time for time in times.values() if time is not None]
    assert waiting == {n for n, t in times.items() if t is not None and t - min(known) > lead}


@given(streams=st.lists(st.lists(st.integers(0, 50), max_size=20).map(sorted), min_size=1, max_size=4))
def test_files_that_follow_each_other_are_read_to_the_end(streams: list[list[int]]) -> None:
    pace, lead = Pace(lead=3), 3
    left = {str(i): list(rows) for i, rows in enumerate(streams)}
    last = dict.fromkeys(left, -1)
    for name in left:
        pace.enter(name)
    while left:
        moved = False
        for name in list(left):
            if pace.must_wait(name):
                continue
            moved = True
            if not left[name]:
                del left[name]
                pace.leave(name)
                continue
            # Before this read nobody who has a row was further behind than the lead.
            others = [last[other] for other in left if last[other] >= 0]
            assert last[name] < 0 or last[name] - min(others) <= lead
            last[name] = left[name].pop(0)
            pace.reached(name, last[name])
        assert moved


def test_all_wait_for_what_comes_before_everything_else() -> None:
    pace = Pace(lead=10)
    for name in ("labels", "a"):
        pace.enter(name)
    pace.reached("labels", -END)
    pace.reached("a", 0)
    assert pace.must_wait("a")
    assert not pace.must_wait("labels")
    pace.leave("labels")
    assert not pace.must_wait("a")
