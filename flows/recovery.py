"""The recovery folder of a run: Bytewax's snapshots, and a note of what they belong to."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bytewax.recovery import init_db_dir
from msgspec.structs import replace

from flows.plan import Plan
from flows.recovery_note import NOTE, RecoveryError, check_note, note_of, read_note, write_note
from flows.unfinished import drop_unfinished
from state.generations import Lineage

PARTS = 8
"""Files that Bytewax spreads its snapshots over; fixed for the life of a folder, and the most workers."""

LOCK = "lock"
SNAPSHOTS = "snapshots"


def noted_partitions(folder: Path) -> frozenset[str] | None:
    """All partitions that the run in a folder has taken in; None where no run began.

    Raises
    ------
    RecoveryError
        The note cannot be read.
    """
    return frozenset(read_note(folder / NOTE).partitions) if holds_run(folder) else None


def noted_lineage(folder: Path) -> Lineage | None:
    """Return the references that the run in a folder was last started with; None where no run began.

    Raises
    ------
    RecoveryError
        The note cannot be read.
    """
    if not holds_run(folder):
        return None
    note = read_note(folder / NOTE)
    return Lineage(note.parts["reference"], note.later)


def known_partitions(folder: Path) -> frozenset[str] | None:
    """Partitions that the run in a folder began with; None where no run began.

    One that is not among them appeared later, so that it is read from its earliest record, however often the
    run starts again before its first snapshot.

    Raises
    ------
    RecoveryError
        The note cannot be read.
    """
    if not holds_run(folder):
        return None
    note = read_note(folder / NOTE)
    return frozenset(note.partitions if note.first is None else note.first)


def holds_run(folder: Path) -> bool:
    """Whether a run began here that can be gone on with."""
    return (folder / NOTE).exists()


def open_recovery(folder: Path, plan: Plan) -> Path:
    """Make a recovery folder, or check that the one that is there belongs to this plan.

    Partitions that are new since then are taken in where the input is live.

    Returns
    -------
    Path
        The folder of Bytewax's snapshots.

    Raises
    ------
    RecoveryError
        The folder belongs to another configuration, reference or set of inputs; the message names which.
    """
    wanted = note_of(plan)
    path = folder / NOTE
    snapshots = folder / SNAPSHOTS
    if path.exists():
        found = read_note(path)
        check_note(folder, found, wanted, live=plan.live)
        if replace(found, first=None) != replace(wanted, first=None):
            first = found.partitions if found.first is None else found.first
            write_note(path, replace(wanted, first=first))
        drop_unfinished(snapshots)
        return snapshots
    # Without a note no run ever began here, so half-made snapshots are of no use to anyone.
    shutil.rmtree(snapshots, ignore_errors=True)
    snapshots.mkdir(parents=True)
    init_db_dir(snapshots, PARTS)  # type: ignore[no-untyped-call]  # Bytewax's stub has no types here
    write_note(path, wanted)
    return snapshots


def await_recovery(folder: Path, plan: Plan, *, patience_s: float = 60.0) -> Path:
    """Open the folder that the first member of a set makes, as soon as it is there with the same partitions.

    Raises
    ------
    RecoveryError
        It did not appear in time, or belongs to another plan.
    """
    deadline = time.monotonic() + patience_s
    wanted, path = note_of(plan), folder / NOTE
    new, other = list[str](), False
    while time.monotonic() < deadline:
        if path.exists():
            found = read_note(path)
            check_note(folder, found, wanted, live=plan.live)
            new = sorted(set(wanted.partitions) - set(found.partitions))
            other = found.later != wanted.later
            if not new and not other:
                return folder / SNAPSHOTS
        time.sleep(0.05)
    if new:
        raise RecoveryError(
            f"{folder}: member 0 has not taken in {', '.join(new)} within {patience_s:.0f} s, which this "
            "member sees: restart all members"
        )
    if other:
        raise RecoveryError(
            f"{folder}: member 0 runs with other references than this member found in the store: restart all "
            "members"
        )
    raise RecoveryError(
        f"{folder} was not made by member 0 within {patience_s:.0f} s: start all members on one "
        "shared recovery folder"
    )


def discard(folder: Path) -> None:
    """Forget an earlier run; only what driftflow keeps in the folder is removed."""
    (folder / NOTE).unlink(missing_ok=True)
    shutil.rmtree(folder / SNAPSHOTS, ignore_errors=True)


@contextmanager
def locked(folder: Path, *, patience_s: float = 0.0) -> Iterator[int]:
    """Hold a folder for this run alone; the lock ends with the process, however that ends.

    Gives the file descriptor of the lock: a process that inherits it holds the lock too, as long as it lives.

    Raises
    ------
    RecoveryError
        Another run holds it, and did not let go in time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    deadline = time.monotonic() + patience_s
    try:
        while not _lock(handle):
            if time.monotonic() >= deadline:
                raise RecoveryError(
                    f"another run holds the recovery folder {folder}: wait for it to end, or name another "
                    "folder"
                )
            time.sleep(0.05)
        yield handle
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
