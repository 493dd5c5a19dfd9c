"""Programs that run beside each other, as scripts on a clock that is set by hand."""

import signal
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from flows.commands.exits import ExitCode
from flows.workers.programs import Program, Programs
from flows.workers.requests import Stops
from tests.flows.scripted_sets import Clock


@dataclass(slots=True)
class Script:
    """A process whose end is written down; without one it stops when asked, or never."""

    clock: Clock
    log: list[str]
    name: str = ""
    end: tuple[float, int] | None = None
    stubborn: bool = False
    pid: int = 7
    began_s: float = 0.0
    ended: int | None = None

    def code(self) -> int | None:
        if self.ended is None and self.end is not None and self.clock.now_s >= self.began_s + self.end[0]:
            self.ended = self.end[1]
        return self.ended

    def ask_to_stop(self) -> None:
        self.log.append(f"stop {self.name}")
        self.ended = None if self.stubborn else 0

    def kill(self) -> None:
        self.log.append(f"kill {self.name}")
        self.ended = -signal.SIGKILL

    def finish(self) -> None:
        assert self.ended is not None, "would wait for ever"


@dataclass(slots=True)
class Stage:
    """Programs by name, each with the scripts of its lives."""

    lives: dict[str, list[Callable[[Clock, list[str]], Script]]]
    stop_at_s: tuple[float, ...] = ()
    clock: Clock = field(default_factory=Clock)
    said: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    started: list[tuple[str, float]] = field(default_factory=list)
    stops: Stops = field(default_factory=Stops)

    def run(self) -> ExitCode:
        self.clock.on_tick = self._tick
        return Programs(
            programs=[Program(name=name, command=(name,), may_end=name == "run") for name in self.lives],
            start=self._start,
            say=self.said.append,
            stops=self.stops,
            rng=np.random.default_rng(1),
            clock=self.clock,
            pause=self.clock.pause,
        ).run()

    def _tick(self, now_s: float) -> None:
        self.stops.asked = sum(now_s >= at_s for at_s in self.stop_at_s)

    def _start(self, program: Program) -> Script:
        script = self.lives[program.name].pop(0)(self.clock, self.log)
        script.name, script.began_s = program.name, self.clock.now_s
        self.started.append((program.name, self.clock.now_s))
        return script


def lasting(clock: Clock, log: list[str]) -> Script:
    return Script(clock, log)


def stubborn(clock: Clock, log: list[str]) -> Script:
    return Script(clock, log, stubborn=True)


def ending(after_s: float, code: int) -> Callable[[Clock, list[str]], Script]:
    return lambda clock, log: Script(clock, log, end=(after_s, code))


def test_a_stop_ends_them_one_after_the_other() -> None:
    stage = Stage({"run": [lasting], "alert": [lasting], "service": [lasting]}, stop_at_s=(3.0,))
    assert stage.run() == ExitCode.DONE
    assert stage.log == ["stop run", "stop alert", "stop service"]
    assert stage.said[-3:] == ["run has ended", "alert has ended", "service has ended"]


def test_one_that_dies_is_started_again_later_from_time_to_time() -> None:
    dying = [ending(0.0, 1), ending(0.0, -9), ending(0.0, 0), lasting]
    stage = Stage({"run": [lasting], "service": [*dying]}, stop_at_s=(30.0,))
    assert stage.run() == ExitCode.DONE
    times = [at_s for name, at_s in stage.started if name == "service"]
    # 1 s, doubled each time, less up to a half by chance; two looks of 0.1 s on top.
    for pause, whole in zip(np.diff(times), [1.0, 2.0, 4.0], strict=True):
        assert whole / 2 <= pause <= whole + 0.3
    told = [line for line in stage.said if "started again" in line]
    assert told[0].startswith("service ended with exit code 1 after 0 s")
    assert told[1].startswith("service was ended by SIGKILL after 0 s")
    # It has no end of its own: one that says it is done has failed.
    assert told[2].startswith("service ended with exit code 0")
    assert [name for name, _ in stage.started].count("run") == 1


def test_a_run_that_is_done_leaves_the_others_alone() -> None:
    stage = Stage({"run": [ending(1.0, 0)], "service": [lasting]}, stop_at_s=(100.0,))
    assert stage.run() == ExitCode.DONE
    assert [name for name, _ in stage.started] == ["run", "service"]
    assert stage.log == ["stop service"]
    assert any(line.startswith("run is done") for line in stage.said)


def test_a_refused_configuration_ends_all() -> None:
    stage = Stage({"run": [lasting], "alert": [ending(1.0, 2)], "service": [lasting]})
    assert stage.run() == ExitCode.USAGE
    assert stage.log == ["stop run", "stop service"]


def test_one_that_does_not_stop_is_killed() -> None:
    stage = Stage({"run": [stubborn], "service": [lasting]}, stop_at_s=(1.0,))
    assert stage.run() == ExitCode.FAILED
    assert stage.log == ["stop run", "kill run", "stop service"]
    # 10 s are what a program has to stop.
    assert 11.0 <= stage.clock.now_s <= 11.5


def test_a_second_signal_kills_what_is_left() -> None:
    stage = Stage({"run": [stubborn], "service": [stubborn]}, stop_at_s=(1.0, 2.0))
    assert stage.run() == ExitCode.FAILED
    assert stage.log == ["stop run", "kill run", "stop service", "kill service"]
    assert stage.clock.now_s < 3.0
    assert "run is killed: a second signal asked for it" in stage.said


def test_a_stop_during_a_pause_does_not_wait_for_it() -> None:
    stage = Stage({"run": [ending(0.0, 1), lasting]}, stop_at_s=(0.3,))
    assert stage.run() == ExitCode.DONE
    assert stage.clock.now_s < 0.6
    assert stage.log == []
