"""Who may do what: API keys with roles."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from detectors.base import DriftflowError

VARIABLE = "DRIFTFLOW_API_KEYS"
"""Variable of the environment that holds the keys: they belong into no file."""

HEADER = "X-API-Key"
"""Header of a request that carries a key."""

SESSION_KEY = "key"
"""Holds in a browser's session the name of the key that was shown; the session is signed."""

FEWEST_CHARACTERS = 16
"""A shorter key could be guessed."""

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class BadKeysError(DriftflowError):
    """The keys of the environment cannot be used, or there are none where some are needed."""


class Right(IntEnum):
    """What a key allows; each includes those before it."""

    READ = 1
    WRITE = 2
    """Also compare, upload and acknowledge."""
    ADMIN = 3
    """Also build and activate references."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: the name of the key, and what it allows."""

    name: str
    right: Right


ANYONE = Caller(name="anyone", right=Right.ADMIN)
"""Who asks where no keys are set: only this machine can reach the service then."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys by the hash of each: what is in memory cannot be used to ask."""

    callers: tuple[tuple[bytes, Caller], ...] = ()

    def find(self, key: str | None) -> Caller | None:
        """Return whose key this is; None where it is nobody's. Takes as long for every key."""
        if not self.callers:
            return ANYONE
        if key is None:
            return None
        hashed, found = sha256(key.encode()).digest(), None
        for known, caller in self.callers:
            if hmac.compare_digest(known, hashed):
                found = caller
        return found


def read_keys(text: str | None) -> Keyring:
    """Read keys as the environment gives them: ``name:role:key``, joined by commas.

    Raises
    ------
    BadKeysError
        A part is none of that; the message names the key by its name or place and never shows it.
    """
    parts = [part.strip() for part in (text or "").split(",") if part.strip()]
    return Keyring(tuple(_entries(parts)))


def _entries(parts: Iterable[str]) -> Iterable[tuple[bytes, Caller]]:
    names = set[str]()
    for place, part in enumerate(parts, 1):
        name, _, rest = part.partition(":")
        right, _, key = rest.partition(":")
        if not (name and right and key):
            raise BadKeysError(f"{VARIABLE}: entry {place} is not written name:role:key")
        if right.upper() not in Right.__members__:
            raise BadKeysError(f"{VARIABLE}: {name}: found another role, wanted read, write or admin")
        if len(key) < FEWEST_CHARACTERS:
            raise BadKeysError(
                f"{VARIABLE}: {name}: the key has {len(key)} characters, wanted {FEWEST_CHARACTERS} or more"
            )
        if name in names:
            raise BadKeysError(f"{VARIABLE}: the name {name} stands twice")
        names.add(name)
        yield sha256(key.encode()).digest(), Caller(name=name, right=Right[right.upper()])


def check_address(host: str, keys: Keyring) -> None:
    """Refuse to serve other machines without keys.

    Raises
    ------
    BadKeysError
        The address can be reached from elsewhere, and no key is set.
    """
    if host not in _LOOPBACK and not keys.callers:
        raise BadKeysError(
            f"--host {host} can be reached by other machines, and no key is set: set {VARIABLE} "
            "(name:role:key, joined by commas), or serve this machine alone (127.0.0.1)"
        )
