"""Who has changed what or was refused, as one line of JSON each; never a key."""

import logging
import sys
import time
from collections.abc import Callable
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

import orjson
from starlette.types import Scope

from service.callers import address, key_name
from service.jobs import Job, JobState
from service.posts import OF_PAGES
from service.security import ANYONE, SESSION_KEY, Keyring
from service.watching import Asked, of_program
from state.durations import Axis
from state.event_data import instant

STDOUT = "-"
"""In place of a file: the standard output of the service."""

_LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED = frozenset({401, 403, 429})
_LONGEST = 300


class AuditLog:
    """Writes lines; without a place to write to it does nothing.

    Parameters
    ----------
    clock
        Seconds since the epoch.

    Raises
    ------
    OSError
        The file cannot be written.
    """

    def __init__(self, place: Path | str | None = None, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._logger = None if place is None else _logger(place)

    def write(  # the fields of a line
        self, *, who: str | None, what: str, path: str, origin: str, outcome: str, status: int | None = None
    ) -> None:
        """Write one line.

        Parameters
        ----------
        who
            Name of the key; None where nobody has it.
        what
            Method and route, or what a page was told to do.
        origin
            Address that it came from.
        """
        if self._logger is None:
            return
        line = {
            "time": instant(round(self._clock() * 1000), Axis.MILLISECONDS),
            "who": who,
            "what": what[:_LONGEST],
            "path": path[:_LONGEST],
            "from": origin,
            "status": status,
            "outcome": outcome,
        }
        self._logger.info("%s", orjson.dumps(line).decode())

    def close(self) -> None:
        """Close the file."""
        for handler in [] if self._logger is None else self._logger.handlers:
            handler.close()


def request_audit(keys: Keyring, log: AuditLog) -> Callable[[Asked], None]:
    """Return what writes down requests that change something, and those that were refused."""

    def on_answer(asked: Asked) -> None:
        scope = asked.scope
        path, method = str(scope["path"]), str(scope["method"])
        program = of_program(scope)
        changes = method not in _LOOKS and (program or path.endswith(OF_PAGES))
        if not changes and not (program and asked.status in _REFUSED):
            return
        log.write(
            who=_who(scope, keys),
            what=f"{method} {asked.route or path}",
            path=path,
            origin=address(scope),
            outcome="refused" if refused_on_page(scope) else _outcome(asked.status),
            status=asked.status,
        )

    return on_answer


def job_audit(
    scope: Scope, keys: Keyring, log: AuditLog, *, what: str, place: str
) -> Callable[[Job[Any]], None]:
    """Return what writes down how a job has ended that a request has begun.

    Parameters
    ----------
    what
        What the job does.
    place
        Where its state is asked for; its id comes behind.
    """
    who, origin = _who(scope, keys), address(scope)

    def on_end(job: Job[Any]) -> None:
        outcome = "done" if job.state is JobState.DONE else "failed"
        log.write(who=who, what=f"end of {what}", path=f"{place}/{job.id}", origin=origin, outcome=outcome)

    return on_end


def leave_page(scope: Scope) -> None:
    """Note who logs out, before the session forgets it."""
    scope.setdefault("state", {})["left"] = scope["session"].get(SESSION_KEY)


def refuse_on_page(scope: Scope) -> None:
    """Note that a page has refused what it was asked, though its answer leads on to another page."""
    scope.setdefault("state", {})["refused"] = True


def refused_on_page(scope: Scope) -> bool:
    """Tell whether a page has noted that."""
    return bool(scope.get("state", {}).get("refused"))


def _who(scope: Scope, keys: Keyring) -> str | None:
    if not keys.callers:
        return ANYONE.name
    left: str | None = scope.get("state", {}).get("left")
    return key_name(scope, keys) or scope.get("session", {}).get(SESSION_KEY) or left


def _outcome(status: int) -> str:
    if status < 400:  # noqa: PLR2004  # where errors of callers begin
        return "done"
    return "refused" if status < 500 else "failed"  # noqa: PLR2004  # where faults begin


def _logger(place: Path | str) -> logging.Logger:
    # One of its own, not of the tree: nobody's settings change what is kept.
    logger = logging.Logger("driftflow.audit", logging.INFO)  # noqa: LOG001
    # The file may be moved away by what rotates logs: the next line opens it anew.
    handler = (
        logging.StreamHandler(sys.stdout)
        if place == STDOUT
        else WatchedFileHandler(place, encoding="utf-8", errors="backslashreplace")
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    return logger
