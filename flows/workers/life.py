"""The life of one set of members: from its start to the moment when every member is dead."""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from flows.commands.exits import ExitCode
from flows.workers.beats import Watchdog
from flows.workers.requests import Stops


class Members(Protocol):
    """Processes that live and die together; see `flows.workers.processes.MemberSet`."""

    def codes(self) -> list[int | None]:
        """Return each member's exit code, negative for a signal, None while it runs."""
        ...

    def ask_to_stop(self) -> None:
        """Ask all to stop where they are, and to keep it."""
        ...

    def kill(self) -> None:
        """Kill all, and return when every one of them is dead."""
        ...

    def finish(self) -> None:
        """Wait for the end of all."""
        ...

    def told(self) -> bytes:
        """Return what the first member printed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a set ended; all its members are dead.

    Attributes
    ----------
    code
        What the whole ends with; None: the set is to be started again.
    why
        What went wrong, or has changed; empty where nothing did.
    failed
        Whether a pause is due before the next start.
    """

    code: ExitCode | None
    why: str = ""
    failed: bool = False


@dataclass(slots=True, kw_only=True)
class Life:
    """Watches one set until all its members are dead.

    Attributes
    ----------
    change
        Says what has changed so that the set must be started anew, None while nothing has.
    stop_s
        How long members may take to stop before they are killed.
    clock, pause
        Monotonic seconds, and what waits for some.
    """

    members: Members
    watchdog: Watchdog
    stops: Stops
    change: Callable[[], str | None]
    clock: Callable[[], float]
    pause: Callable[[float], None]
    poll_s: float
    stop_s: float
    _stopping_s: float | None = None
    _changed: str | None = None

    def run(self) -> Ending:
        """Return how it ended; no member outlives this call, whatever it raises."""
        try:
            while True:
                ending = self._look()
                if ending is not None:
                    return ending
                self.pause(self.poll_s)
        except BaseException:
            self.members.kill()
            raise

    def _look(self) -> Ending | None:
        """Do what is due now; return the ending once all members are dead."""
        codes = self.members.codes()
        failed = {i: code for i, code in enumerate(codes) if code is not None and not _fine(i, code)}
        if failed:
            return self._fell(failed, len(codes))
        if None not in codes:
            return self._ended(codes)
        return self._decide()

    def _decide(self) -> Ending | None:
        """Look at what is asked of members that all live."""
        if self.stops.asked > 1:
            self.members.kill()
            return Ending(code=ExitCode.FAILED, why="all members were killed, as a second signal asked for")
        if self._stopping_s is not None:
            return self._stopping(self.clock() - self._stopping_s)
        if self.stops.asked:
            self._stop()
            return None
        complaint = self.watchdog.complaint()
        if complaint is not None:
            self.members.kill()
            return Ending(code=None, why=complaint, failed=True)
        self._changed = self.change()
        if self._changed is not None:
            self._stop()
        return None

    def _stop(self) -> None:
        self.members.ask_to_stop()
        self._stopping_s = self.clock()

    def _stopping(self, waited_s: float) -> Ending | None:
        if waited_s <= self.stop_s:
            return None
        self.members.kill()
        why = f"members did not stop within {self.stop_s:.0f} s and were killed"
        return Ending(code=ExitCode.FAILED if self.stops.asked else None, why=why, failed=True)

    def _fell(self, failed: dict[int, int], members: int) -> Ending:
        """Kill what is left; a member does not go on alone, and none may write beside the next set."""
        self.members.kill()
        if ExitCode.USAGE in failed.values():
            return Ending(code=ExitCode.USAGE, why="the configuration is refused, see above")
        why = _names(failed, members)
        stopping = self._stopping_s is not None or self.stops.asked
        if stopping and set(failed.values()) <= {-signal.SIGTERM}:
            # Told to stop before it could listen, so it had done nothing since the last snapshot.
            return Ending(code=ExitCode.DONE if self.stops.asked else None, why=self._changed or "")
        return Ending(code=ExitCode.FAILED if self.stops.asked else None, why=why, failed=True)

    def _ended(self, codes: list[int | None]) -> Ending:
        self.members.finish()
        if self._changed is not None and not self.stops.asked:
            return Ending(code=None, why=self._changed)
        return Ending(code=ExitCode(codes[0] or 0))


def _fine(member: int, code: int) -> bool:
    # The first member tells what was found; the others never speak of drift.
    return code == ExitCode.DONE or (member == 0 and code == ExitCode.DRIFT)


def _names(failed: dict[int, int], members: int) -> str:
    """Name members and how they ended; those killed by a signal first, which is seldom a consequence."""
    order = sorted(failed, key=lambda i: (failed[i] != -signal.SIGKILL, failed[i] >= 0, i))
    return ", ".join(f"member {i} of {members} {ended_words(failed[i])}" for i in order)


def ended_words(code: int) -> str:
    """Say how a process has ended."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
