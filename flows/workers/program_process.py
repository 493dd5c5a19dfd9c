"""A program as a process of this machine, each of its lines with its name before it."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from threading import Thread

from flows.workers.environment import TOGETHER
from flows.workers.processes import pass_on, tethered
from flows.workers.programs import Program


class ProgramProcess:
    """Lines of stdout go to stdout, those of stderr to stderr.

    It is the leader of a session of its own, so that a terminal's Ctrl-C reaches it through this process
    alone, and is killed by the kernel should this process die: start it from the main thread.

    Parameters
    ----------
    prefix
        Stands before each line.
    environ
        Its environment.
    keep
        File descriptors that it inherits.
    """

    def __init__(
        self, program: Program, prefix: str, *, environ: Mapping[str, str], keep: Sequence[int] = ()
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # the caller's own command
            tethered(program.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
            start_new_session=True,
            pass_fds=tuple(keep),
        )
        self._threads = [
            Thread(target=pass_on, args=(prefix, stream, into), daemon=True)
            for stream, into in ((self._process.stdout, sys.stdout), (self._process.stderr, sys.stderr))
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """See `Started.pid`."""
        return self._process.pid

    def code(self) -> int | None:
        """See `Started.code`."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """See `Started.ask_to_stop`."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """See `Started.kill`."""
        self._process.kill()

    def finish(self) -> None:
        """See `Started.finish`."""
        self._process.wait()
        for thread in self._threads:
            thread.join()


def environment(environ: Mapping[str, str], *, width: int) -> dict[str, str]:
    """Return the environment of programs whose lines stand behind a prefix: tables fit what is left."""
    columns = environ.get("COLUMNS", str(width))
    return {**environ, "COLUMNS": columns, "PYTHONUNBUFFERED": "1", TOGETHER: "1"}
