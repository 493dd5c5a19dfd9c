"""A set of member processes on this machine: started, signalled, killed and listened to together."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock, Thread
from typing import BinaryIO, TextIO

from flows.workers import tether
from flows.workers.environment import METRICS_PORT, SUPERVISED

Command = Callable[[int, tuple[str, ...]], list[str]]
"""Gives the command line of a member by its number and the addresses of all."""

_CHUNK = 1 << 16
_WRITING = Lock()


class MemberSet:
    """Processes that live and die together.

    Each is the leader of a session of its own, so that a terminal's Ctrl-C reaches it through the supervisor
    alone, and is killed by the kernel should the supervisor die. What the first member prints on stdout is
    kept until `told` is asked for; what the others print there is dropped; lines on stderr are passed on with
    the member's number before them.

    Start it from the main thread: the kernel ties a process to the thread that started it.
    """

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._processes = processes
        self._told: list[bytes] = []
        self._threads = [
            Thread(target=pass_on, args=(f"[{i}] ", process.stderr, sys.stderr), daemon=True)
            for i, process in enumerate(processes)
        ]
        self._threads.append(Thread(target=self._keep, args=(processes[0].stdout,), daemon=True))
        for thread in self._threads:
            thread.start()

    def codes(self) -> list[int | None]:
        """Return each member's exit code, negative for a signal, None while it runs."""
        return [process.poll() for process in self._processes]

    def ask_to_stop(self) -> None:
        """Send SIGTERM to all."""
        for process in self._processes:
            process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill all, and return when every one of them is dead."""
        for process in self._processes:
            process.kill()
        self.finish()

    def finish(self) -> None:
        """Wait for the end of all, and for what they still had to say."""
        for process in self._processes:
            process.wait()
        for thread in self._threads:
            thread.join()

    def told(self) -> bytes:
        """Return what the first member printed on stdout; called after `finish` or `kill`."""
        return b"".join(self._told)

    def _keep(self, stream: BinaryIO) -> None:
        with stream:
            while chunk := stream.read(_CHUNK):
                self._told.append(chunk)


def launch(
    command: Command, workers: int, *, lock: int | None = None, metrics_port: int | None = None
) -> MemberSet:
    """Start the members of a set on free ports of the loopback interface.

    Parameters
    ----------
    lock
        File descriptor that members inherit, so that the lock it holds lasts as long as any of them.
    metrics_port
        Port of the first member's metrics; the next ones follow it. 0: each takes a free one.
    """
    addresses = tuple(f"127.0.0.1:{port}" for port in free_ports(workers))
    with ExitStack() as stack:
        processes = []
        for i in range(workers):
            # A port that the supervisor itself was given is one port, and members are many.
            environ = {**os.environ, SUPERVISED: "1"}
            environ.pop(METRICS_PORT, None)
            if metrics_port is not None:
                environ[METRICS_PORT] = str(metrics_port + i if metrics_port else 0)
            process = subprocess.Popen(  # noqa: S603  # the caller's own command
                tethered(command(i, addresses)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if i == 0 else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environ,
                start_new_session=True,
                pass_fds=() if lock is None else (lock,),
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            processes.append(process)
        members = MemberSet(processes)
        stack.pop_all()
    return members


def free_ports(count: int) -> list[int]:
    """Find ports of the loopback interface that nobody listens on; who takes one meanwhile fells the set."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def cores(limits: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Return how many cores this process may use: those it may run on, within a container's quota."""
    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    with suppress(OSError, ValueError):
        quota, period = limits.read_text().split()
        return max(1, min(allowed, int(quota) // int(period)))
    return allowed


def tethered(command: Sequence[str]) -> list[str]:
    """Return a command line that is killed by the kernel should this process die."""
    # Isolated and without site, because it only waits to become another program.
    return [sys.executable, "-I", "-S", str(Path(tether.__file__)), str(os.getpid()), *command]


def pass_on(prefix: str, stream: BinaryIO, into: TextIO) -> None:
    """Copy lines, words before each; goes on reading where nobody listens: a full pipe stops its writer."""
    before = prefix.encode()
    with stream:
        while line := stream.readline(_CHUNK):
            write_line(before + line.removesuffix(b"\n"), into)


def write_line(line: bytes, into: TextIO) -> None:
    """Write one line whole, whoever else writes at the same time; where nobody listens, it is lost."""
    with suppress(OSError, ValueError), _WRITING:
        into.buffer.write(line + b"\n")
        into.buffer.flush()
