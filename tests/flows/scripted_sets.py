"""Sets of members that are scripts, and a clock that is set by hand, for tests of the supervisor."""

import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from flows.engine import Recovery
from flows.supervisor import Supervisor, Timing
from flows.workers.requests import Stops

TIMING = Timing(poll_s=0.5)


@dataclass(slots=True)
class Clock:
    """Seconds that pass only while someone waits; what is due then happens."""

    now_s: float = 0.0
    on_tick: Callable[[float], None] = lambda _: None

    def __call__(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> None:
        self.now_s += seconds
        self.on_tick(self.now_s)


@dataclass(slots=True)
class Script:
    """A set of members whose ends are written down: when, who, with which code."""

    clock: Clock
    ends: dict[int, tuple[float, int]]
    size: int = 2
    stop_codes: tuple[int, ...] | None = (0, 0)
    began_s: float = 0.0
    dead: dict[int, int] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def codes(self) -> list[int | None]:
        for member, (after_s, code) in self.ends.items():
            if self.clock.now_s >= self.began_s + after_s:
                self.dead.setdefault(member, code)
        return [self.dead.get(i) for i in range(self.size)]

    def ask_to_stop(self) -> None:
        self.log.append("stop")
        for i, code in enumerate(self.stop_codes or ()):
            self.dead.setdefault(i, code)

    def kill(self) -> None:
        self.log.append("kill")
        for i in range(self.size):
            self.dead.setdefault(i, -signal.SIGKILL)

    def finish(self) -> None:
        assert len(self.dead) == self.size, "would wait for ever"

    def told(self) -> bytes:
        assert len(self.dead) == self.size, "asked before the end"
        return b"found"


@dataclass(slots=True)
class Stage:
    """A supervisor over scripts; notes when each set was started and how large it was."""

    folder: Path
    scripts: Sequence[Script]
    clock: Clock
    workers: int | None = 2
    answers: Iterator[frozenset[str] | None] = field(default_factory=lambda: iter(()))
    timing: Timing = TIMING
    interval_s: float = 2.0
    stops: Stops = field(default_factory=Stops)
    started: list[tuple[float, int]] = field(default_factory=list)
    supervisor: Supervisor = field(init=False)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(
            start=self._start,
            workers=self.workers,
            partitions=frozenset({"a", "b"}),
            recovery=Recovery(folder=self.folder, interval_s=self.interval_s),
            stops=self.stops,
            answer=lambda: next(self.answers, None),
            timing=self.timing,
            rng=np.random.default_rng(1),
            clock=self.clock,
            pause=self.clock.pause,
            available=lambda: 3,
        )

    def _start(self, workers: int) -> Script:
        # None before this one is alive any more.
        assert all(len(script.dead) == script.size for script in self.scripts[: len(self.started)])
        script = self.scripts[len(self.started)]
        script.began_s = self.clock.now_s
        self.started.append((self.clock.now_s, workers))
        return script

    @property
    def pauses(self) -> list[float]:
        times = [time_s for time_s, _ in self.started]
        return [later - earlier for earlier, later in pairwise(times)]


def finished(clock: Clock) -> Script:
    return Script(clock, {0: (1.0, 0), 1: (1.0, 0)})
