"""Runs a set of member processes on this machine, and starts it again when one of them dies."""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from flows.commands.exits import ExitCode
from flows.config_values import ConfigError
from flows.engine import Recovery
from flows.recovery import PARTS, locked, noted_partitions
from flows.workers.backoff import Backoff
from flows.workers.beats import Watchdog
from flows.workers.life import Ending, Life, Members
from flows.workers.processes import Command, cores, launch
from flows.workers.references import ReferenceWatch
from flows.workers.requests import Stops, Watch, logger, stops

MISSED_EPOCHS = 3
"""A set is not called still before this many epochs could have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds.

    Attributes
    ----------
    stall_s
        How long no epoch may end before a set is killed and started again.
    stop_s
        How long members may take to stop before they are killed.
    partitions_s
        How often partitions are looked up.
    first_pause_s, longest_pause_s
        Before the first restart, and at most; less up to a half by chance.
    healthy_s
        After a life of this length the pauses begin anew.
    lock_s
        How long to wait for a recovery folder that members of a killed supervisor are just letting go.
    poll_s
        How often members are looked at.
    """

    stall_s: float = 60.0
    stop_s: float = 30.0
    partitions_s: float = 30.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    healthy_s: float = 60.0
    lock_s: float = 5.0
    poll_s: float = 0.1


DEFAULT_TIMING = Timing()


def supervise(
    command: Command,
    *,
    workers: int | None,
    partitions: Sequence[str],
    recovery: Recovery,
    list_partitions: Callable[[], Sequence[str]] | None = None,
    references: ReferenceWatch | None = None,
    before: Callable[[], None] = lambda: None,
    metrics_port: int | None = None,
    timing: Timing = DEFAULT_TIMING,
) -> ExitCode:
    """Run members until their input ends or a signal asks to stop; call it from the main thread.

    SIGINT and SIGTERM stop all members, each of which keeps where it is; a second one kills them, which loses
    nothing either. Should this process be killed, its members die with it, and the recovery folder stays
    locked until the last of them is dead. What the first member printed goes to stdout once the set ends.

    Parameters
    ----------
    command
        Gives the command line of a member by its number and the addresses of all.
    workers
        How many members; None: one per partition, up to the cores.
    partitions
        Names of all partitions as they are now.
    recovery
        Held until the end. Members must not lock it: `flows.engine.Member.supervised`.
    list_partitions
        Names all partitions of a live input; where that differs from what the set runs with, it is stopped
        and started again. None: they do not change.
    references
        Looks up the references; where they have changed and the set can go on with them, it is stopped and
        started again. None: they do not change.
    before
        Called once before the first start, while the recovery folder is held; `flows.engine.drop` goes here.
    metrics_port
        Port of the first member's metrics; the next ones follow it.

    Returns
    -------
    ExitCode
        DONE after the end or a stop, DRIFT where the first member says so, USAGE where a member refused the
        configuration, FAILED where members had to be killed to stop them.

    Raises
    ------
    ConfigError
        There are to be fewer than 1 or more than `PARTS` workers.
    RecoveryError
        Another run holds the recovery folder.
    """
    check_workers(workers)
    with ExitStack() as stack:
        lock = stack.enter_context(locked(recovery.folder, patience_s=timing.lock_s))
        asked = stack.enter_context(stops())
        before()
        watch = None
        if list_partitions is not None:
            watch = Watch("partitions", lambda: frozenset(list_partitions()), every_s=timing.partitions_s)
            stack.enter_context(watch.running())
        if references is not None:
            stack.enter_context(references.running())
        supervisor = Supervisor(
            start=partial(launch, command, lock=lock, metrics_port=metrics_port),
            workers=workers,
            partitions=frozenset(partitions),
            recovery=recovery,
            stops=asked,
            answer=(lambda: None) if watch is None else watch.take,
            references=(lambda: None) if references is None else references.change,
            timing=timing,
            rng=np.random.default_rng(),
        )
        code = supervisor.run()
    sys.stdout.buffer.write(supervisor.told)
    sys.stdout.buffer.flush()
    return code


def check_workers(workers: int | None) -> None:
    """Refuse a number of workers that no recovery folder can serve.

    Raises
    ------
    ConfigError
        See above.
    """
    if workers is not None and not 1 <= workers <= PARTS:
        raise ConfigError(f"--workers is {workers}, wanted 1 to {PARTS} on one recovery folder, or auto")


def auto_workers(partitions: int, available: int) -> int:
    """One worker per partition, up to the cores and to what a recovery folder can serve; at least one.

    Examples
    --------
    >>> auto_workers(24, 4), auto_workers(2, 4), auto_workers(0, 4)
    (4, 2, 1)
    """
    return max(1, min(partitions, available, PARTS))


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Starts sets one after the other, each when the one before is dead.

    Attributes
    ----------
    start
        Starts a set of so many members.
    stops
        Requests to stop.
    answer
        Which partitions there are, as far as there is a new answer.
    references
        How references have changed that the set can go on with; None where they have not.
    told
        What the first member of the last set printed.
    """

    start: Callable[[int], Members]
    workers: int | None
    partitions: frozenset[str]
    recovery: Recovery
    stops: Stops
    answer: Callable[[], frozenset[str] | None]
    timing: Timing
    rng: np.random.Generator
    references: Callable[[], str | None] = lambda: None
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    available: Callable[[], int] = cores
    told: bytes = b""
    watchdog: Watchdog = field(init=False)
    backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        """Set up what outlives a set."""
        timing = self.timing
        self.watchdog = Watchdog(
            self.recovery.folder,
            limit_s=max(timing.stall_s, MISSED_EPOCHS * self.recovery.interval_s),
            clock=self.clock,
        )
        self.backoff = Backoff(
            first_s=timing.first_pause_s,
            longest_s=timing.longest_pause_s,
            healthy_s=timing.healthy_s,
            rng=self.rng,
        )

    def run(self) -> ExitCode:
        """Run sets until one ends for good."""
        while not self.stops.asked:
            began_s = self.clock()
            ending = self._live()
            lived_s = self.clock() - began_s
            if ending.code is not None:
                if ending.why:
                    logger.error("%s after %.0f s", ending.why, lived_s)
                return ending.code
            if not ending.failed:
                logger.warning("%s: the set goes on with them now", ending.why)
                continue
            pause_s = self.backoff.pause_s(lived_s)
            logger.error(
                "%s after %.0f s; all members are dead, and the set is started again in %.1f s (restart %d)",
                ending.why,
                lived_s,
                pause_s,
                self.backoff.failures,
            )
            self._rest(pause_s)
        return ExitCode.DONE

    def _live(self) -> Ending:
        """Run one set from start to end."""
        self.watchdog.begin()
        workers = self.workers or auto_workers(len(self.partitions), self.available())
        members = self.start(workers)
        ending = Life(
            members=members,
            watchdog=self.watchdog,
            stops=self.stops,
            change=self._change,
            clock=self.clock,
            pause=self.pause,
            poll_s=self.timing.poll_s,
            stop_s=self.timing.stop_s,
        ).run()
        self.told = members.told() if ending.code in {ExitCode.DONE, ExitCode.DRIFT} else b""
        return ending

    def _change(self) -> str | None:
        """Compare answers with what the set runs with, which it has noted by its first beat."""
        latest = self.answer()
        if not self.watchdog.beaten:
            return None
        noted = None if latest is None else noted_partitions(self.recovery.folder)
        if latest is None or noted is None or latest == noted:
            return self.references()
        self.partitions = latest
        words = {"new": latest - noted, "gone": noted - latest}
        changes = [f"{word}: {', '.join(sorted(names))}" for word, names in words.items() if names]
        return f"partitions have changed ({'; '.join(changes)})"

    def _rest(self, pause_s: float) -> None:
        """Wait, unless a stop is asked for."""
        until_s = self.clock() + pause_s
        while not self.stops.asked and self.clock() < until_s:
            self.pause(min(self.timing.poll_s, pause_s))
