from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.monitor import HOUR_MS, MonitorState, direct_notice, watch
from alerts.signals import Kind, Signal
from alerts.vitals import Look, Worker
from alerts.watches import MOST_SAMPLES, MonitorRules, Watch
from detectors.verdicts import Severity
from state.episodes import Change

MINUTE = 60_000
START = 1_772_323_200_000
RULES = MonitorRules(model="credit", model_version="7", silence_ms=60 * MINUTE)


def a_worker(
    minute: float = 0.0, *, lag: int = 5, rows: int = 0, refused: int = 0, error: str = ""
) -> Worker:
    return Worker(
        address="a:9",
        error=error,
        watermarks={"0": START + round(minute * MINUTE), "1": START + round(minute * MINUTE) + 9},
        lags={"0": lag},
        rows=rows,
        refused=refused,
    )


def a_look(minute: float, *workers: Worker, heard: float | None = None, store_error: str = "") -> Look:
    return Look(
        at_ms=START + round(minute * MINUTE),
        workers=workers,
        heard_ms=START + round((minute if heard is None else heard) * MINUTE),
        store_error=store_error,
    )


def told(looks: list[Look], rules: MonitorRules = RULES) -> list[tuple[str, Change, float]]:
    """Say what was told, and at which minute; every look from a state that went through bytes."""
    state, found = MonitorState(), []
    for look in looks:
        state, signals = watch(state, look, rules)
        state = msgspec.json.decode(msgspec.json.encode(state), type=MonitorState)
        found += [(each.check, each.change, (look.at_ms - START) / MINUTE) for each in signals]
    return found


def test_a_monitor_that_is_well_says_nothing() -> None:
    looks = [a_look(m / 2, a_worker(m / 2, rows=1_000 * m, refused=m // 9)) for m in range(600)]
    assert told(looks) == []


def test_a_worker_that_is_away_is_told_once_and_its_return_too() -> None:
    away = a_worker(error="Connection refused")
    looks = [a_look(m, away if 3 <= m < 20 else a_worker(m)) for m in range(40)]
    assert told(looks) == [(Watch.WORKER, Change.OPENED, 5.0), (Watch.WORKER, Change.CLOSED, 25.0)]


def test_what_comes_and_goes_is_told_at_most_once() -> None:
    blink = [a_look(m, a_worker(m, error="" if m % 2 else "refused")) for m in range(60)]
    assert told(blink) == []
    # Away for 3 minutes, back for 2: never back for as long as an end takes.
    flap = [a_look(m, a_worker(m, error="refused" if m % 5 < 3 else "")) for m in range(60)]
    assert told(flap) == [(Watch.WORKER, Change.OPENED, 2.0)]


def test_a_watermark_that_stands_still_is_told_with_the_partition_that_is_waited_for() -> None:
    looks = [a_look(m, a_worker(min(m, 5))) for m in range(20)]
    assert told(looks) == [(Watch.WATERMARK, Change.OPENED, 17.0)]  # 5 + 10 + 2
    state = MonitorState()
    for look in looks:
        state, signals = watch(state, look, RULES)
        for signal in signals:
            assert signal.told == "the watermark stands still since 12m; windows wait for partition 0"
            assert (signal.kind, signal.severity, signal.since) == (
                Kind.MONITOR,
                Severity.HIGH,
                "2026-03-01T00:15:00.000Z",
            )


@pytest.mark.parametrize(
    ("lags", "grows"),
    [
        ([5 + 100 * m for m in range(40)], True),
        ([5_000] * 40, False),
        ([5 + 900 * (m % 7) for m in range(40)], False),
        ([5] * 8 + [5_000] * 32, False),
        ([5 + 100 * m for m in range(12)] + [5] * 28, False),
    ],
)
def test_only_lag_that_goes_on_growing_is_told(lags: list[int], *, grows: bool) -> None:
    looks = [a_look(m, a_worker(m, lag=lag)) for m, lag in enumerate(lags)]
    assert [name for name, _, _ in told(looks)] == ([Watch.LAG] if grows else [])


def test_silence_counts_from_the_first_look_where_nothing_was_heard() -> None:
    looks = [msgspec.structs.replace(a_look(m), heard_ms=None) for m in range(70)]
    assert told(looks) == [(Watch.SILENCE, Change.OPENED, 62.0)]
    heard = [a_look(m, heard=30) for m in range(30, 95)]
    assert told(heard) == [(Watch.SILENCE, Change.OPENED, 92.0)]
    assert told(heard, replace(RULES, silence_ms=None)) == []


@pytest.mark.parametrize(("each", "opens"), [(0, False), (1, False), (30, True)])
def test_refused_records_count_by_their_share(each: int, *, opens: bool) -> None:
    looks = [a_look(m, a_worker(m, rows=1_000 * m, refused=each * m)) for m in range(30)]
    found = told(looks)
    assert [name for name, _, _ in found] == ([Watch.REFUSED] if opens else [])


def test_a_worker_that_began_anew_is_no_storm_of_refused_records() -> None:
    looks = [a_look(m, a_worker(m, rows=1_000 * m if m < 9 else 0, refused=3 * m)) for m in range(30)]
    assert told(looks[:15]) == []


def test_a_store_that_is_away_is_told_directly_once_an_hour() -> None:
    state = MonitorState()
    found: list[Signal] = []
    for m in range(5):
        state, signals = watch(state, a_look(m, store_error="disk is full"), RULES)
        found += signals
    (signal,) = found
    assert signal.check == Watch.STORE
    ids = {
        direct_notice(signal, "pager", k * HOUR_MS + late).id for k in range(2) for late in (0, HOUR_MS - 1)
    }
    assert len(ids) == 2
    assert direct_notice(signal, "mail", 0).id not in ids
    assert direct_notice(signal, "pager", 0).title == "credit: the store does not answer: disk is full"


@given(
    st.lists(
        st.tuples(st.integers(1, 400), st.booleans(), st.booleans(), st.integers(0, 10_000)), max_size=120
    )
)
def test_episodes_open_before_they_close_and_memory_is_bounded(
    steps: list[tuple[int, bool, bool, int]],
) -> None:
    state, open_ids, minute = MonitorState(), set[str](), 0.0
    for seconds, away, moves, lag in steps:
        minute += seconds / 60
        worker = a_worker(minute if moves else 0, lag=lag, error="refused" if away else "")
        state, signals = watch(state, a_look(minute, worker), RULES)
        for signal in signals:
            if signal.change is Change.OPENED:
                assert signal.episode not in open_ids
                open_ids.add(signal.episode)
            else:
                open_ids.remove(signal.episode)
        assert len(state.history.samples) <= MOST_SAMPLES
    assert open_ids == {each.episode for each in state.troubles if each.episode}
