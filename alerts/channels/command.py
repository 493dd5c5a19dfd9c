"""A channel that starts a program and gives it the notice on its standard input."""

import logging
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from alerts.channels.base import RefusedError, TryAgainError
from alerts.notices import Notice, encode_notice

PASSED = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV")
"""Variables of the environment that a program gets without being named: none of them is a secret."""

_MOST_LINES = 100
_MOST_BYTES = 64 * 1024
_MOST_CHARACTERS = 500

_log = logging.getLogger("driftflow.alerts")


class CommandChannel:
    """Starts a program for each notice; what it prints goes to the log, as a warning where it fails.

    Parameters
    ----------
    command
        The program and its arguments; no shell reads them.
    folder
        Where it runs.
    timeout_s
        It is ended after so long, with all that it has started.
    environment
        All variables that it gets.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        folder: Path,
        timeout_s: float,
        environment: Mapping[str, str],
    ) -> None:
        self._name = name
        self._command = list(command)
        self._folder = folder
        self._timeout_s = timeout_s
        self._environment = dict(environment)

    @property
    def name(self) -> str:
        """See `Channel.name`."""
        return self._name

    def send(self, notice: Notice) -> None:
        """Run the program; it gets the CloudEvent of a request to train again, or else the notice, as JSON.

        Exit code 0: it has taken it.

        Raises
        ------
        TryAgainError
            Another exit code, or it took too long.
        RefusedError
            There is no such program.
        """
        given = notice.payload.encode() or encode_notice(notice)
        # A file and not a pipe: what the program leaves running may hold it open.
        with TemporaryFile() as said:
            code = self._run(given, said)
            self._tell(notice.id, said, logging.WARNING if code != 0 else logging.INFO)
        if code is None:
            raise TryAgainError(
                f"{self._program} took longer than {self._timeout_s:g} s and was ended: raise its timeout, "
                "or let it start the work and end"
            )
        if code:
            raise TryAgainError(
                f"{self._program} ended with exit code {code}, wanted 0; the log has what it said"
            )

    def close(self) -> None:
        """Do nothing: a program has ended before the next one starts."""

    @property
    def _program(self) -> str:
        # Arguments may hold what is nobody's business.
        return repr(self._command[0])

    def _run(self, given: bytes, said: IO[bytes]) -> int | None:
        """Return the exit code; None where it took too long."""
        try:
            process = subprocess.Popen(  # noqa: S603 - the configuration names it
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise RefusedError(
                f"{self._program} cannot be started in {self._folder}: {error.strerror}; name a program that "
                "is there and may be run"
            ) from error
        try:
            process.communicate(given, timeout=self._timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None
        return process.returncode

    def _tell(self, identity: str, said: IO[bytes], level: int) -> None:
        """Write the last of what it printed to the log."""
        size = said.seek(0, os.SEEK_END)
        said.seek(max(0, size - _MOST_BYTES))
        lines = said.read().decode(errors="replace").splitlines()
        for line in lines[-_MOST_LINES:]:
            _log.log(level, "%s: %s", self._name, line[:_MOST_CHARACTERS], extra={"event_id": identity})


def environment_of(names: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Choose the variables that a program gets: those that are named, and a few that are no secrets."""
    return {name: environ[name] for name in (*PASSED, *names) if name in environ}
