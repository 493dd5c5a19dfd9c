"""Detached processes that a later call can recognise as its own and end."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.local_services.base import Launch, ServiceError

_PATIENCE_S = 30.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One started process.

    Attributes
    ----------
    pid
        Its process id, which the system gives to another after it has ended.
    birth
        The boot and the clock tick in which it began: with `pid`, nobody else's.
    ports
        The loopback ports it listens on.
    """

    pid: int
    birth: str
    ports: Sequence[int]


def write_record(path: Path, record: Record) -> None:
    """Replace the record as a whole, never in part."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(record)))
    fresh.replace(path)


def read_record(path: Path) -> Record | None:
    """The record, or None where nothing was started."""
    try:
        stored = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return Record(pid=stored["pid"], birth=stored["birth"], ports=stored["ports"])


def birth_of(pid: int) -> str | None:
    """When the running process began; None where there is none, or only its unread exit code is left."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # proc(5): the name, in parentheses, may hold anything; the state is field 3, the start field 22.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else f"{boot}/{fields[19]}"


def is_running(record: Record) -> bool:
    """Whether the very process of the record still runs."""
    return birth_of(record.pid) == record.birth


def start(launch: Launch, *, log: Path, ports: Sequence[int]) -> Record:
    """Start in a session of its own, so that it outlives the caller and its terminal."""
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - the argument list is ours, no shell reads it
            launch.argv,
            env={**os.environ, **launch.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            start_new_session=True,
        )
    return Record(pid=process.pid, birth=birth_of(process.pid) or "ended at once", ports=ports)


def end(record: Record) -> None:
    """Ask the process to end, and insist after half a minute; does nothing to anybody else's."""
    for number, patience_s in ((signal.SIGTERM, _PATIENCE_S), (signal.SIGKILL, _PATIENCE_S)):
        if not is_running(record):
            return
        os.kill(record.pid, number)
        deadline = time.monotonic() + patience_s
        while is_running(record) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
    if is_running(record):
        raise ServiceError(f"process {record.pid} did not end after SIGKILL: it hangs in the system")
