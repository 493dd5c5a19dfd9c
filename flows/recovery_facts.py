"""What a recovery folder holds, read from outside while a run may be writing."""

import fcntl
import io
import os
import pickle
import sqlite3
from collections.abc import Collection
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from flows.config import Config
from flows.generations import TooEarlyError, too_early
from flows.kafka.reader import next_offset
from flows.plan import Plan
from flows.recovery import LOCK, SNAPSHOTS, holds_run, noted_lineage
from flows.recovery_note import NOTE, differences, note_of, read_note
from flows.unfinished import resume_epoch
from state.codec import CodecError, unpack
from state.generations import Lineage
from state.grid import END
from state.join import rows_held
from state.schedule import Schedule, ScheduleConflictError

_SOURCE, _JOIN = "driftflow.source", "driftflow.join"
"""Steps of `flows.graph.build_flow` that keep positions and rows to be joined, as Bytewax names them."""


_STATE_VERSIONS = (1, 2)
"""Versions of a step's state, which `flows.operators` writes."""


class PositionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run would go on with a partition.

    Attributes
    ----------
    next_offset
        Of a partition of Kafka; None elsewhere, and before the first contact.
    latest
        Largest event time so far, on the axis of the windows; None before the first row.
    ended
        Whether everything was read, the end itself included.
    """

    next_offset: int | None
    latest: int | None
    ended: bool


class JoinFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the join of labels holds.

    Attributes
    ----------
    shards
        Parts of it that have a snapshot.
    waiting, early
        Predictions that wait for a label, and labels that wait for a prediction.
    size
        Bytes of the state.
    """

    shards: int
    waiting: int
    early: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFacts:
    """What a folder holds.

    Attributes
    ----------
    model
        Name and version, joined by a slash.
    reference
        Version that windows were compared with.
    positions
        By partition; None where there is no snapshot of it, or it cannot be read.
    join
        What waits to be joined; None where nothing is joined, or no snapshot of it can be read.
    size
        Bytes on disk.
    written_ms
        When a snapshot was last written, milliseconds since the epoch; None: not yet.
    held
        Whether a run holds the folder at this moment.
    """

    model: str
    reference: str
    positions: dict[str, PositionFacts | None]
    join: JoinFacts | None
    size: int
    written_ms: int | None
    held: bool


def read_folder(folder: Path) -> FolderFacts | None:
    """Look into a recovery folder; None where no run began.

    Raises
    ------
    RecoveryError
        The note of what it belongs to cannot be read.
    """
    if not holds_run(folder):
        return None
    note = read_note(folder / NOTE)
    snapshots = sorted((folder / SNAPSHOTS).glob("part-*.sqlite3*"))
    # Not the index of the journal, which readers write to as well.
    written_ns = max((_stat(p).st_mtime_ns for p in snapshots if not p.name.endswith("-shm")), default=None)
    size = sum(_stat(path).st_size for path in folder.rglob("*") if path.is_file())
    parts = [path for path in snapshots if path.suffix == ".sqlite3"]
    found = {
        name: None if change is None else _position(change)
        for name, change in _last_snapshots(parts, _SOURCE).items()
    }
    return FolderFacts(
        model=note.model,
        reference=note.parts["reference"],
        positions={name: found.get(name) for name in note.partitions},
        join=_join_facts(_last_snapshots(parts, _JOIN)),
        size=size,
        written_ms=None if written_ns is None or not found else written_ns // 1_000_000,
        held=is_held(folder),
    )


def changes(folder: Path, plan: Plan) -> tuple[str, ...]:
    """Name what has changed since the run in a folder began; empty where `plan` can go on with it.

    Raises
    ------
    RecoveryError
        The note of what it belongs to cannot be read.
    """
    found, wanted = read_note(folder / NOTE), note_of(plan)
    told = differences(found, wanted)
    gone = sorted(set(found.partitions) - set(wanted.partitions))
    new = sorted(set(wanted.partitions) - set(found.partitions))
    if gone or (new and not plan.live):
        told.append(f"input (gone: {', '.join(gone) or 'none'}; new: {', '.join(new) or 'none'})")
    return tuple(told)


def check_references(folder: Path, config: Config, wanted: Lineage) -> None:
    """Refuse references that the run in a folder cannot go on with.

    Raises
    ------
    TooEarlyError
        They have changed for windows whose rows were read already; the message names the earliest moment.
    RecoveryError
        The note of what it belongs to cannot be read.
    """
    noted = noted_lineage(folder)
    if noted is None:
        return
    if noted.first != wanted.first:
        raise TooEarlyError(
            f"reference {wanted.first} was activated from the beginning, in the place of {noted.first} that "
            f"this run began with: activate {noted.first} again and the new one with '--from', or start anew "
            "with 'driftflow run --overwrite'"
        )
    facts = read_folder(folder)
    latest = [] if facts is None else [at.latest for at in facts.positions.values() if at is not None]
    seen = max((config.grid.frontier(time) for time in latest if time is not None), default=-END)
    try:
        Schedule(later=wanted.later).check_known(noted.later, seen)
    except ScheduleConflictError as error:
        raise too_early(config, error.version, error.seen) from error


def is_held(folder: Path) -> bool:
    """Whether a run holds a folder.

    The look takes a shared lock for some microseconds, and none where there is no file of the lock yet.
    """
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


class _State(msgspec.Struct):
    """The parts of a partition's state that are shown."""

    position: bytes
    max_time: int | None
    ended: bool


class _BytesOnly(pickle.Unpickler):
    """Reads plain values: whoever can write to the folder must not be able to run code by it."""

    def find_class(self, module: str, name: str) -> object:
        raise pickle.UnpicklingError(f"a snapshot names {module}.{name}, wanted bytes")


def _last_snapshots(parts: list[Path], step: str) -> dict[str, bytes | None]:
    """Read the last snapshot of each key of a step before the epoch that a run would begin with.

    Bytewax spreads snapshots and frontiers over all files. A run resumes at the lowest frontier of the latest
    execution's workers; of each key the last snapshot before that counts.
    """
    executions: list[tuple[int, int]] = []
    fronts: list[tuple[int, int]] = []
    snaps: list[tuple[str, int, bytes | None]] = []
    try:
        for part in parts:
            with closing(sqlite3.connect(_address(part), uri=True)) as file:
                executions += file.execute("SELECT ex_num, resume_epoch FROM exs")
                fronts += file.execute("SELECT ex_num, worker_frontier FROM fronts")
                snaps += file.execute(
                    "SELECT state_key, snap_epoch, ser_change FROM snaps WHERE step_id = ?", (step,)
                )
    except sqlite3.Error:
        return {}
    resume = resume_epoch(executions, fronts)
    ordered = sorted((epoch, name, change) for name, epoch, change in snaps if epoch < resume)
    return {name: change for _, name, change in ordered}


def _address(part: Path) -> str:
    """Name a file for reading; without a journal nobody writes, and SQLite is to leave no files behind."""
    journal = part.with_name(f"{part.name}-wal")
    return f"file:{quote(str(part))}?{'mode=ro' if journal.exists() else 'immutable=1'}"


def _position(change: bytes) -> PositionFacts | None:
    """Read one snapshot of a partition; None where it is not one of ours."""
    try:
        state = msgspec.msgpack.decode(_payload(change, "partition", (1,)), type=_State)
    except (pickle.UnpicklingError, EOFError, CodecError, msgspec.DecodeError):
        return None
    return PositionFacts(next_offset=_offset(state.position), latest=state.max_time, ended=state.ended)


def _join_facts(changes: dict[str, bytes | None]) -> JoinFacts | None:
    """Add up the snapshots of all shards; one that is not ours is left out."""
    payloads = []
    for change in changes.values():
        with suppress(pickle.UnpicklingError, EOFError, CodecError):
            payloads += [] if change is None else [_payload(change, "join", _STATE_VERSIONS)]
    held = []
    for payload in payloads:
        with suppress(msgspec.DecodeError):
            held.append(rows_held(payload))
    if not held:
        return None
    waiting, early = (sum(rows) for rows in zip(*held, strict=True))
    return JoinFacts(shards=len(held), waiting=waiting, early=early, size=sum(map(len, payloads)))


def _payload(change: bytes, kind: str, versions: Collection[int]) -> bytes:
    packed = _BytesOnly(io.BytesIO(change)).load()
    return unpack(packed, kind=kind, versions=versions, fingerprint=None).payload


def _offset(position: bytes) -> int | None:
    try:
        return next_offset(position)
    except CodecError:
        # A position in a file.
        return None


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except FileNotFoundError:
        # A file of SQLite that its writer has removed meanwhile.
        return os.stat_result((0,) * 10, {"st_mtime_ns": 0})
