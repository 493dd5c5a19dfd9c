"""The supervisor's decisions, with sets that are scripts and a clock that is set by hand."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.commands.exits import ExitCode
from flows.supervisor import Timing
from flows.workers.beats import begin_beat
from tests.flows.scripted_sets import Clock, Script, Stage, finished

NOTE = b'{"format": 1, "model": "m/1", "partitions": ["a", "b"], "parts": {}}'
"""What a first member writes."""


def test_all_members_end_and_so_does_the_whole(tmp_path: Path) -> None:
    clock = Clock()
    stage = Stage(tmp_path, [Script(clock, {0: (1.0, 0), 1: (4.0, 0)})], clock)
    assert stage.supervisor.run() == ExitCode.DONE
    assert clock.now_s == 4.0
    assert stage.supervisor.told == b"found"
    assert stage.scripts[0].log == []


def test_drift_is_told_by_the_first_member_and_by_no_other(tmp_path: Path) -> None:
    clock = Clock()
    stage = Stage(tmp_path, [Script(clock, {0: (1.0, 3), 1: (1.0, 0)})], clock)
    assert stage.supervisor.run() == ExitCode.DRIFT
    other = Stage(tmp_path, [Script(clock, {0: (1.0, 0), 1: (1.0, 3)}), finished(clock)], clock)
    assert other.supervisor.run() == ExitCode.DONE
    assert len(other.started) == 2


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (-9, "member 1 of 2 was ended by SIGKILL"),
        (1, "member 1 of 2 ended with exit code 1"),
        # Linux has real-time signals without a name of their own, 40 among them.
        (-40, "member 1 of 2 was ended by signal 40"),
    ],
)
def test_one_dead_member_ends_the_set_which_is_started_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, code: int, told: str
) -> None:
    clock = Clock()
    stage = Stage(tmp_path, [Script(clock, {1: (3.0, code)}), finished(clock)], clock)
    assert stage.supervisor.run() == ExitCode.DONE
    assert stage.scripts[0].log == ["kill"]
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{told} after 3 s; all members are dead")
    assert record.getMessage().endswith("(restart 1)")


def test_restarts_wait_longer_from_time_to_time_up_to_a_minute(tmp_path: Path) -> None:
    clock = Clock()
    fallen = [Script(clock, {0: (0.0, 1)}) for _ in range(12)]
    stage = Stage(tmp_path, [*fallen, finished(clock)], clock)
    assert stage.supervisor.run() == ExitCode.DONE
    # 1 s doubled each time and capped at 60 s; chance takes up to a half; the poll adds up to half a second.
    for pause, whole in zip(stage.pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60], strict=True):
        assert whole / 2 <= pause <= whole + 0.5


def test_a_healthy_minute_begins_the_pauses_anew(tmp_path: Path) -> None:
    clock = Clock()
    short, long = ({0: (0.0, 1)}, {0: (60.0, 1)})
    scripts = [Script(clock, ends) for ends in (short, short, short, short, long, short)]
    stage = Stage(tmp_path, [*scripts, finished(clock)], clock)
    assert stage.supervisor.run() == ExitCode.DONE
    assert stage.pauses[3] >= 4.0
    assert 60.5 <= stage.pauses[4] <= 61.5
    assert 1.0 <= stage.pauses[5] <= 2.5


def test_refused_configuration_is_not_tried_again(tmp_path: Path) -> None:
    clock = Clock()
    stage = Stage(tmp_path, [Script(clock, {1: (1.0, 2)})], clock)
    assert stage.supervisor.run() == ExitCode.USAGE
    assert stage.scripts[0].log == ["kill"]


def at(moment_s: float, act: Callable[[], None]) -> Callable[[float], None]:
    """Act once, when the time has come."""
    left = [act]

    def tick(now_s: float) -> None:
        if now_s >= moment_s and left:
            left.pop()()

    return tick


def asking(stage: Stage) -> Callable[[], None]:
    def ask() -> None:
        stage.stops.asked += 1

    return ask


def beating(folder: Path, member: int) -> Callable[[], None]:
    def beat() -> None:
        begin_beat(folder, member)

    return beat


@pytest.mark.parametrize(
    ("stop_codes", "code", "log"),
    [
        ((0, 0), ExitCode.DONE, ["stop"]),
        ((3, 0), ExitCode.DRIFT, ["stop"]),
        # Told to stop while it still loaded: SIGTERM ended it, and the other would wait for it for ever.
        ((-signal.SIGTERM,), ExitCode.DONE, ["stop", "kill"]),
        ((1,), ExitCode.FAILED, ["stop", "kill"]),
    ],
)
def test_a_signal_stops_all_members(
    tmp_path: Path, stop_codes: tuple[int, ...], code: ExitCode, log: list[str]
) -> None:
    clock = Clock()
    stage = Stage(tmp_path, [Script(clock, {}, stop_codes=stop_codes)], clock)
    clock.on_tick = at(5.0, asking(stage))
    assert stage.supervisor.run() == code
    assert stage.scripts[0].log == log
    assert clock.now_s < 6.0


def test_members_that_do_not_stop_are_killed(tmp_path: Path) -> None:
    clock = Clock()
    stage = Stage(tmp_path, [Script(clock, {}, stop_codes=None)], clock)
    clock.on_tick = at(5.0, asking(stage))
    assert stage.supervisor.run() == ExitCode.FAILED
    assert stage.scripts[0].log == ["stop", "kill"]
    assert 35.0 <= clock.now_s <= 36.0  # the default of stop_s is 30 s


def test_a_second_signal_kills(tmp_path: Path) -> None:
    clock = Clock()
    stage = Stage(tmp_path, [Script(clock, {}, stop_codes=None)], clock)
    first, second = at(5.0, asking(stage)), at(7.0, asking(stage))
    clock.on_tick = lambda now_s: (first(now_s), second(now_s), None)[-1]
    assert stage.supervisor.run() == ExitCode.FAILED
    assert stage.scripts[0].log == ["stop", "kill"]
    assert clock.now_s < 8.0


def test_a_signal_between_two_sets_ends_the_wait(tmp_path: Path) -> None:
    clock = Clock()
    stage = Stage(tmp_path, [Script(clock, {0: (0.0, 1)})], clock, timing=Timing(first_pause_s=50.0))
    clock.on_tick = at(3.0, asking(stage))
    assert stage.supervisor.run() == ExitCode.DONE
    assert clock.now_s < 4.0
    assert len(stage.started) == 1


def test_a_set_without_beats_is_killed_and_started_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    stage = Stage(tmp_path, [Script(clock, {}), finished(clock)], clock)
    # It loads for 100 s, which is nobody's fault, beats for 50 s, and falls silent.
    clock.on_tick = lambda now_s: begin_beat(tmp_path, 1)() if 100 <= now_s <= 150 else None
    assert stage.supervisor.run() == ExitCode.DONE
    assert stage.scripts[0].log == ["kill"]
    assert "no epoch has ended for 60.5 s" in caplog.text
    assert "member 1 was the first to fall silent" in caplog.text
    assert stage.started[1][0] > 210.0


def test_an_epoch_may_last_longer_than_the_limit(tmp_path: Path) -> None:
    clock = Clock()
    stage = Stage(tmp_path, [Script(clock, {}), finished(clock)], clock, interval_s=100.0)
    clock.on_tick = at(0.0, beating(tmp_path, 1))
    assert stage.supervisor.run() == ExitCode.DONE
    # Three epochs of 100 s in place of the default of 60 s.
    assert 300.0 <= stage.started[1][0] <= 303.0


def test_changed_partitions_restart_the_set_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    (tmp_path / "driftflow.json").write_bytes(NOTE)
    clock.on_tick = at(0.0, beating(tmp_path, 0))
    answers = iter([None, frozenset("ab"), None, frozenset("bcd")])
    scripts = [Script(clock, {}), Script(clock, dict.fromkeys(range(3), (1.0, 0)), size=3)]
    stage = Stage(tmp_path, scripts, clock, workers=None, answers=answers)
    assert stage.supervisor.run() == ExitCode.DONE
    assert scripts[0].log == ["stop"]
    # Two partitions first, three then; three cores.
    assert [workers for _, workers in stage.started] == [2, 3]
    assert "partitions have changed (new: c, d; gone: a)" in caplog.text
    assert clock.now_s < 5.0


def test_an_answer_before_the_first_beat_is_not_held_against_an_old_note(tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "driftflow.json").write_bytes(NOTE)
    stage = Stage(tmp_path, [finished(clock)], clock, answers=iter([frozenset("abc")] * 9))
    assert stage.supervisor.run() == ExitCode.DONE
    assert len(stage.started) == 1


def test_no_member_outlives_an_error_of_the_supervisor(tmp_path: Path) -> None:
    clock = Clock()
    stage = Stage(tmp_path, [Script(clock, {})], clock)

    def fail(_now_s: float) -> None:
        raise RuntimeError

    clock.on_tick = fail
    with pytest.raises(RuntimeError):
        stage.supervisor.run()
    assert stage.scripts[0].log == ["kill"]
