"""The recovery folder of a run: Bytewax's snapshots, and a note of what they belong to."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from bytewax.recovery import init_db_dir

from detectors.base import DriftflowError
from flows.plan import Plan
from state.codec import fingerprint_of
from state.generations import Lineage

PARTS = 8
"""Files that Bytewax spreads its snapshots over; fixed for the life of a folder, and the most workers."""

NOTE = "driftflow.json"
LOCK = "lock"
SNAPSHOTS = "snapshots"


class RecoveryError(DriftflowError):
    """A recovery folder cannot be used; the message says why and what to do."""


class _Note(msgspec.Struct, frozen=True, kw_only=True):
    """What the snapshots in a folder belong to: each part of it that stored state depends on."""

    format: int
    model: str
    partitions: tuple[str, ...]
    parts: dict[str, str]
    first: tuple[str, ...] | None = None
    # References after that among the parts, with the pane from which each counts.
    later: tuple[tuple[int, str], ...] = ()


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
        _check(path, found, wanted, live=plan.live)
        if found.partitions != wanted.partitions or found.later != wanted.later:
            first = found.partitions if found.first is None else found.first
            _write(path, msgspec.structs.replace(wanted, first=first))
        return snapshots
    # Without a note no run ever began here, so half-made snapshots are of no use to anyone.
    shutil.rmtree(snapshots, ignore_errors=True)
    snapshots.mkdir(parents=True)
    init_db_dir(snapshots, PARTS)  # type: ignore[no-untyped-call]  # Bytewax's stub has no types here
    _write(path, wanted)
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
            _check(path, found, wanted, live=plan.live)
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


def note_of(plan: Plan) -> _Note:
    """Say what the state of a plan belongs to."""
    file = msgspec.to_builtins(plan.config.file)
    # State knows windows by their number and events list columns in turn, so of these the order counts too.
    depends = {
        "columns": list(file["columns"].items()),
        "time": file["time"],
        "windows": list(file["windows"].items()),
        "detection": file["detection"],
        "input.missing": file["input"]["missing"],
    }
    return _Note(
        format=1,
        model=plan.model_key,
        partitions=plan.partitions,
        first=plan.partitions,
        later=plan.schedule.later,
        parts={
            **{key: fingerprint_of(value).hex() for key, value in depends.items()},
            "reference": plan.generations.first.version,
        },
    )


def _write(path: Path, note: _Note) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(note), indent=2))
    temporary.replace(path)


def read_note(path: Path) -> _Note:
    """Read what the state in a folder belongs to.

    Raises
    ------
    RecoveryError
        The note cannot be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Note)
    except (OSError, msgspec.DecodeError) as error:
        raise RecoveryError(
            f"{path} cannot be read ({error}): start anew with 'driftflow run --overwrite', "
            "or put the folder back"
        ) from error


def _check(path: Path, found: _Note, wanted: _Note, *, live: bool) -> None:
    changed = [key for key, value in wanted.parts.items() if found.parts.get(key) != value]
    if found.model != wanted.model:
        changed.insert(0, f"model ({found.model} then, {wanted.model} now)")
    gone = sorted(set(found.partitions) - set(wanted.partitions))
    if live and gone and not changed:
        raise RecoveryError(
            f"{path.parent} holds the state of a run that read {', '.join(gone)}, and the input has no such "
            "partition any more: bring the topic back, name another recovery folder, or start anew with "
            "'driftflow run --overwrite'"
        )
    if not live and found.partitions != wanted.partitions:
        new = sorted(set(wanted.partitions) - set(found.partitions))
        changed.append(f"input files (gone: {', '.join(gone) or 'none'}; new: {', '.join(new) or 'none'})")
    if changed:
        raise RecoveryError(
            f"{path.parent} holds the state of a run with other settings; changed since: "
            f"{', '.join(changed)}. Go back to them, name another recovery folder, or start anew with "
            "'driftflow run --overwrite'"
        )
