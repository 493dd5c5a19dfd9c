"""Where downloads and running stacks live, and the locks on them."""

import fcntl
import hashlib
import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.local_services.base import ServiceError, say

ROOT = Path(__file__).parents[2]
DEFAULT_STACK = "default"

# Below the range from which systems give ports to outgoing connections (it begins at 49152 in RFC 6335, at
# 32768 in Linux): there, a client that keeps knocking at a stopped server may be given the server's own port,
# connect to itself and so keep the server from coming back.
_PORTS = range(20_000, 30_000)
_ATTEMPTS = 200


def cache_folder() -> Path:
    """Downloads and state: ``$DRIFTFLOW_CACHE``, by default ``~/.cache/driftflow``."""
    return Path(os.environ.get("DRIFTFLOW_CACHE") or Path.home() / ".cache" / "driftflow").resolve()


def stacks_folder() -> Path:
    """Keep the stacks of this checkout apart from those of another."""
    checkout = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    return cache_folder() / "stacks" / checkout


def stack_folder(name: str) -> Path:
    """Records, logs and data of one stack."""
    if not name.replace("-", "").isalnum():
        raise ServiceError(f"stack name {name!r}: want letters, digits and dashes")
    return stacks_folder() / name


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold `path` alone; says so when it has to wait. The lock ends with the process, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another scripts/services is at work: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_free(port: int) -> bool:
    """Whether a server could listen on the loopback port now."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections still linger counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> Sequence[int]:
    """`count` different loopback ports on which nothing listens."""
    found: list[int] = []
    for _ in range(_ATTEMPTS):
        if len(found) == count:
            break
        port = _PORTS[secrets.randbelow(len(_PORTS))]
        if port not in found and is_free(port):
            found.append(port)
    if len(found) < count:
        raise ServiceError(f"found {len(found)} free ports on 127.0.0.1 in {_PORTS}, want {count}")
    return found
