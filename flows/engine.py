"""Runs a plan on Bytewax: one worker in this process, alone or as a member of a set."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event, current_thread, main_thread
from types import FrameType

from bytewax.errors import BytewaxRuntimeError
from bytewax.recovery import RecoveryConfig
from bytewax.run import cli_main

from detectors.base import DriftflowError
from flows.announcement import announced
from flows.graph import Outputs, build_flow
from flows.hooks import Hooks, together
from flows.plan import Plan
from flows.recovery import await_recovery, discard, holds_run, locked, open_recovery
from flows.sinks.jsonl import JsonlFile
from flows.sinks.rolling import drop_rolled, log_parts
from flows.workers.beats import begin_beat

DEFAULT_EPOCH_S = 10.0
"""Length of an epoch where no snapshots are taken."""


_NO_HOOKS = Hooks()


class RunError(DriftflowError):
    """A run cannot start or go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Where snapshots are kept, and how often they are taken (seconds)."""

    folder: Path
    interval_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One process of a set that runs a plan together; `addresses` are those of all, in order.

    Traffic between members is not authenticated: addresses belong on loopback or a private network.

    Attributes
    ----------
    supervised
        Whether a supervisor started this member: that one holds the recovery folder, and wants a beat from
        each member whenever an epoch ends, and while a service is waited for.
    """

    process_id: int
    addresses: tuple[str, ...]
    supervised: bool = False


def run(
    plan: Plan,
    outputs: Outputs,
    *,
    recovery: Recovery | None = None,
    member: Member | None = None,
    overwrite: bool = False,
    hooks: Hooks = _NO_HOOKS,
) -> bool:
    """Run a plan until its input ends or a signal asks to stop; return whether the input ended.

    SIGINT and SIGTERM stop the sources, a last snapshot is taken, and a run with the same recovery folder
    goes on from there. A second SIGINT ends the process at once, which is as safe as a kill.

    Parameters
    ----------
    overwrite
        Drop what an earlier run left in the files of the outputs and in the recovery folder. For one process;
        whoever starts a set of members calls `clear` or `drop` before the first of them.

    Raises
    ------
    RunError
        An earlier run's events are in the way, or a member of a set was asked to overwrite.
    DriftflowError
        As any step raised it.
    """
    stop = Event()
    if overwrite:
        if member is not None and (member.supervised or len(member.addresses) > 1):
            raise RunError(
                f"member {member.process_id} of {len(member.addresses)} was asked to overwrite, which could "
                "take the recovery folder from under another: remove that folder and the events file before "
                "the first member starts, and leave --overwrite out"
            )
        clear(outputs, recovery)
    with ExitStack() as stack:
        if member is None or member.process_id == 0:
            holder = nullcontext() if recovery is None or _supervised(member) else locked(recovery.folder)
            stack.enter_context(holder)
            snapshots = _begin(plan, outputs, recovery)
        else:
            snapshots = None if recovery is None else await_recovery(recovery.folder, plan)
        stack.enter_context(_stopping(stop))
        beat = _beat_of(member, recovery)
        told = together(hooks, Hooks(on_epoch=beat, on_wait=beat))
        flow = build_flow(plan, outputs, stop=stop, hooks=told)
        epoch_s = DEFAULT_EPOCH_S if recovery is None else recovery.interval_s
        alone = member is None or len(member.addresses) == 1
        with _plain_errors():
            cli_main(  # type: ignore[no-untyped-call]  # Bytewax's stub has no types here
                flow,
                process_id=None if member is None or alone else member.process_id,
                addresses=None if member is None or alone else list(member.addresses),
                epoch_interval=timedelta(seconds=epoch_s),
                recovery_config=None if snapshots is None else _recovery_config(snapshots),
            )
    return not stop.is_set()


def clear(outputs: Outputs, recovery: Recovery | None) -> None:
    """Drop what an earlier run left in the files of the outputs and in the recovery folder.

    The store keeps what it has: it belongs to more than one run.

    Raises
    ------
    RecoveryError
        A run holds the recovery folder at this moment.
    SinkError
        An output cannot be emptied.
    """
    with nullcontext() if recovery is None else locked(recovery.folder):
        drop(outputs, recovery)


def drop(outputs: Outputs, recovery: Recovery | None) -> None:
    """Do what `clear` does, for who holds the recovery folder already.

    Raises
    ------
    SinkError
        An output cannot be emptied.
    """
    if recovery is not None:
        discard(recovery.folder)
    _empty(outputs)


def check_outputs(events: Path, recovery: Recovery | None) -> None:
    """Refuse to begin anew over the events of an earlier run.

    Raises
    ------
    RunError
        The file of events holds some, and the recovery folder no run that could be gone on with.
    """
    if recovery is not None and holds_run(recovery.folder):
        return
    size = sum(part.path.stat().st_size for part in log_parts(events))
    if size > announced(events):
        raise RunError(
            f"{events} holds the events of an earlier run ({size:,} bytes): start anew with "
            "--overwrite, or write elsewhere with --events FILE"
        )


def _supervised(member: Member | None) -> bool:
    return member is not None and member.supervised


def _beat_of(member: Member | None, recovery: Recovery | None) -> Callable[[], None]:
    if member is None or not member.supervised or recovery is None:
        return lambda: None
    return begin_beat(recovery.folder, member.process_id)


def _recovery_config(snapshots: Path) -> RecoveryConfig:
    # No backup interval: the folder is one place, so there is no older copy to fall back to.
    return RecoveryConfig(snapshots, timedelta(0))  # type: ignore[no-untyped-call]  # as above


def _begin(plan: Plan, outputs: Outputs, recovery: Recovery | None) -> Path | None:
    """Make outputs ready; return the folder of snapshots, which is held already."""
    if recovery is None or not holds_run(recovery.folder):
        check_outputs(outputs.events, recovery)
        _empty(outputs)
    return None if recovery is None else open_recovery(recovery.folder, plan)


def _empty(outputs: Outputs) -> None:
    # A sink opens its file with its first item, so a run without any would leave an old one standing.
    for path in (outputs.events, outputs.dead_letters, outputs.late_rows, outputs.errors):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            kept = 0 if drop_rolled(path) else announced(path)
            JsonlFile(path, kept).close()


@contextmanager
def _stopping(stop: Event) -> Iterator[None]:
    """Let SIGINT and SIGTERM ask for a stop; a SIGINT after that interrupts.

    A second SIGTERM does not: a service manager may send one to every process of a service, beside the one
    that a member has from its supervisor.
    """
    if current_thread() is not main_thread():
        # Only the main thread may set handlers; who runs elsewhere stops by other means.
        yield
        return

    def ask(number: int, _frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Raise the error of ours that Bytewax wrapped, so that a user reads what went wrong and not where."""
    try:
        yield
    except BytewaxRuntimeError as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, DriftflowError):
            cause = cause.__cause__
        if cause is None:
            raise
        raise cause from error
