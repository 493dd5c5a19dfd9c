"""Programs of one machine that run beside each other: started, started again, and ended in order."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from flows.commands.exits import ExitCode
from flows.workers.backoff import Backoff
from flows.workers.life import ended_words
from flows.workers.requests import Stops

POLL_S = 0.1
FIRST_PAUSE_S, LONGEST_PAUSE_S, HEALTHY_S = 1.0, 60.0, 60.0
"""Before the first restart, at most, and the life after which pauses begin anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One of them.

    Attributes
    ----------
    name
        Stands before each of its lines.
    command
        Its command line.
    may_end
        Whether it may be done: the others then go on without it.
    stop_s
        How long it may take to stop before it is killed.
    """

    name: str
    command: tuple[str, ...]
    may_end: bool = False
    stop_s: float = 10.0


class Started(Protocol):
    """A process; see `flows.workers.program_process.ProgramProcess`."""

    @property
    def pid(self) -> int:
        """Its id."""
        ...

    def code(self) -> int | None:
        """Return its exit code, negative for a signal, None while it runs."""
        ...

    def ask_to_stop(self) -> None:
        """Ask it to stop in good order."""
        ...

    def kill(self) -> None:
        """Kill it."""
        ...

    def finish(self) -> None:
        """Wait for its end, and for what it still had to say."""
        ...


@dataclass(slots=True)
class _Seat:
    """A program, and its process where it has one."""

    program: Program
    backoff: Backoff
    process: Started | None = None
    began_s: float = 0.0
    due_s: float = 0.0
    done: bool = False


@dataclass(slots=True, kw_only=True)
class Programs:
    """Keeps programs running until a stop is asked for.

    Attributes
    ----------
    programs
        In the order in which they are started, and ended.
    start
        Starts one.
    say
        Told what happens, in a line.
    clock, pause
        Monotonic seconds, and what waits for some.
    """

    programs: Sequence[Program]
    start: Callable[[Program], Started]
    say: Callable[[str], None]
    stops: Stops
    rng: np.random.Generator
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    _seats: list[_Seat] = field(init=False)

    def __post_init__(self) -> None:
        """Give each program its pauses."""
        self._seats = [
            _Seat(
                program,
                Backoff(first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S, healthy_s=HEALTHY_S, rng=self.rng),
            )
            for program in self.programs
        ]

    def run(self) -> ExitCode:
        """Return once all are dead; none outlives this call, whatever it raises.

        Returns
        -------
        ExitCode
            DONE after a stop, USAGE where one refused the configuration, FAILED where one had to be killed.
        """
        try:
            while not self.stops.asked:
                if any(self._refused(seat) for seat in self._seats):
                    self._end()
                    return ExitCode.USAGE
                self.pause(POLL_S)
            return self._end()
        except BaseException:
            for seat in self._seats:
                if seat.process is not None:
                    seat.process.kill()
            raise

    def _refused(self, seat: _Seat) -> bool:
        """Do what is due for one program; tell whether it refuses the configuration."""
        if seat.process is None:
            if not seat.done and self.clock() >= seat.due_s:
                self._start(seat)
            return False
        code = seat.process.code()
        if code is None:
            return False
        seat.process.finish()
        seat.process = None
        name = seat.program.name
        if code == ExitCode.USAGE:
            self.say(f"{name} refuses the configuration, see above: all are ended")
            return True
        if code == ExitCode.DONE and seat.program.may_end:
            seat.done = True
            self.say(f"{name} is done; the others go on, Ctrl-C ends them")
            return False
        lived_s = self.clock() - seat.began_s
        pause_s = seat.backoff.pause_s(lived_s)
        seat.due_s = self.clock() + pause_s
        self.say(
            f"{name} {ended_words(code)} after {lived_s:.0f} s, and is started again in {pause_s:.1f} s "
            f"(restart {seat.backoff.failures})"
        )
        return False

    def _start(self, seat: _Seat) -> None:
        program = seat.program
        seat.process = self.start(program)
        seat.began_s = self.clock()
        self.say(f"{program.name} is process {seat.process.pid}")

    def _end(self) -> ExitCode:
        """End them one after the other, so that none misses what another still writes."""
        code = ExitCode.DONE
        asked_before = self.stops.asked
        for seat in self._seats:
            if seat.process is None:
                continue
            seat.process.ask_to_stop()
            until_s = self.clock() + seat.program.stop_s
            while seat.process.code() is None:
                # The first request is why it ends at all; one more means at once.
                impatient = self.stops.asked > max(asked_before, 1)
                if impatient or self.clock() >= until_s:
                    why = "a second signal asked for it" if impatient else "it took too long to stop"
                    self.say(f"{seat.program.name} is killed: {why}")
                    seat.process.kill()
                    code = ExitCode.FAILED
                    break
                self.pause(POLL_S)
            seat.process.finish()
            self.say(f"{seat.program.name} has ended")
        return code
