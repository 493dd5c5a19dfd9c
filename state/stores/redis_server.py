"""A connection to Redis, and what its errors mean."""

import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from redis import exceptions as errors
from redis.sentinel import MasterNotFoundError

from state.stores.base import StoreBusyError, StoreError
from state.stores.redis_address import parse_address
from state.stores.redis_client import connect

Command = tuple[str | bytes | int, ...]

_Item = TypeVar("_Item")

_LONGEST_REASON = 300
# The first that fits counts: redis-py derives refused passwords from lost connections, for example.
_KINDS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], type[StoreError], str], ...] = (
    (
        (errors.AuthenticationError, errors.AuthenticationWrongNumberOfArgsError, errors.AuthorizationError),
        StoreError,
        "check the user and the password in the URL",
    ),
    (errors.NoPermissionError, StoreError, "use another user, or grant it these commands and keys"),
    (errors.InvalidResponse, StoreError, "what answers there is no Redis: check host, port and TLS"),
    (errors.BusyLoadingError, StoreBusyError, "it is loading its data; try again when it has finished"),
    (errors.TimeoutError, StoreBusyError, "it did not answer in time; try again, or allow more time"),
    (errors.ConnectionError, StoreBusyError, "it cannot be reached; try again when it is up"),
    (errors.ReadOnlyError, StoreBusyError, "it is a read-only replica; try again, or name the master"),
    (errors.OutOfMemoryError, StoreBusyError, "nothing of this call was kept; free or allow more memory"),
    (errors.TryAgainError, StoreBusyError, "the cluster moves its keys; try again"),
    (errors.ClusterDownError, StoreBusyError, "the cluster is not complete; try again when it is up"),
    (errors.SlotNotCoveredError, StoreBusyError, "the cluster is not complete; try again when it is up"),
    (errors.AskError, StoreError, "this is a node of a cluster: write redis+cluster:// in the URL"),
)
_BUSY_CODES = ("MISCONF", "NOREPLICAS", "BUSY", "LOADING", "MASTERDOWN", "OOM", "READONLY", "UNKILLABLE")
_BUSY_TEXTS = ("max number of clients reached", "cannot be connected")
_ONE_SLOT = "on a cluster one call holds the data of one model: call once for each model"
_HINTS = {
    "WRONGTYPE": "another program, or a server with other modules, wrote this key: name the series backend "
    "that wrote it, another prefix, or another database",
    "same key slot": _ONE_SLOT,
    "same slot": _ONE_SLOT,
    "luster mode is not enabled": "this is a single server: write redis:// in the URL",
}


class RedisServer:
    """Sends commands, and raises errors of the store; its text is the URL without the password.

    Parameters
    ----------
    url
        As `state.stores.redis_address.parse_address` reads it.
    timeout_s
        How long to wait for a connection, and for an answer.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None:
        address = parse_address(url)
        self._name = str(address)
        with self.errors():
            self._client = connect(address, timeout_s=timeout_s)

    def __str__(self) -> str:
        return self._name

    def run(self, *command: str | bytes | int) -> Any:  # noqa: ANN401 - each command has its own answer
        """Send one command and return its answer."""
        with self.errors():
            return self._client.execute_command(*command)  # type: ignore[no-untyped-call]  # theirs

    def run_all(self, commands: Sequence[Command], *, together: bool = False) -> list[Any]:
        """Send all commands at once and return their answers; `together` makes them one step."""
        if len(commands) == 1:
            return [self.run(*commands[0])]
        with self.errors(), self._client.pipeline(transaction=together) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            return list(pipeline.execute())

    def close(self) -> None:
        """Close the connections; called once."""
        self._client.close()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what the server could not do into errors of the store."""
        try:
            yield
        # Errors of a cluster's client do not derive from those of the others.
        except (errors.RedisError, errors.RedisClusterException) as error:
            reason = _reason(error)
            kind, hint = _meaning(error, reason)
            reason = reason[:_LONGEST_REASON]
            raise kind(f"store {self._name}: {reason}: {hint}") from error


def chunks(items: Iterable[_Item], size: int) -> list[list[_Item]]:
    """Cut into lists of at most so many: a command takes no more."""
    left = iter(items)
    return list(iter(lambda: list(islice(left, size)), []))


def unknown_command(error: StoreError) -> bool:
    """Return whether the server has no such command."""
    return isinstance(error.__cause__, errors.ResponseError) and "unknown command" in str(error.__cause__)


def _reason(error: Exception) -> str:
    """Return what the server said, without what redis-py puts around it: commands, and clients in full."""
    if isinstance(error, MasterNotFoundError):
        return str(error).partition(" : ")[0]
    return str(error).rpartition(" of pipeline caused error: ")[2].strip()


def _meaning(error: Exception, text: str) -> tuple[type[StoreError], str]:
    """Return the error of the store, and what to do."""
    if _caused_by_tls(error):
        return StoreError, "the encrypted connection failed: check the certificate and ssl_ca_certs"
    for types, kind, hint in _KINDS:
        if isinstance(error, types):
            return kind, hint
    cause = error.__cause__
    # A cluster's client says by its cause why it reached no node.
    if isinstance(error, errors.RedisClusterException) and isinstance(cause, Exception):
        return _meaning(cause, _reason(cause))
    if text.split(" ", maxsplit=1)[0] in _BUSY_CODES or any(busy in text for busy in _BUSY_TEXTS):
        return StoreBusyError, "try again when the server takes commands again"
    hints = (hint for found, hint in _HINTS.items() if found in text)
    return StoreError, next(hints, "check the server and its version")


def _caused_by_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return "SSL" in str(error) and isinstance(error, errors.ConnectionError)
