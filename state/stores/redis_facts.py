"""What a Redis server is set to do with memory and disk."""

from contextlib import suppress
from dataclasses import dataclass

from state.stores.base import StoreError
from state.stores.redis_server import RedisServer

_NEVER_EVICTS = "noeviction"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisFacts:
    """Settings that decide whether what is stored stays.

    Attributes
    ----------
    version
        Of the server.
    policy
        What it does where memory is short.
    persists
        Whether it writes to disk; also True where it does not let itself be asked.
    """

    version: str
    policy: str
    persists: bool

    @property
    def evicts(self) -> bool:
        """Whether keys may vanish."""
        return self.policy != _NEVER_EVICTS


def read_facts(server: RedisServer) -> RedisFacts:
    """Ask a server; of a cluster one node answers for all.

    Raises
    ------
    StoreError
        The server cannot be asked.
    """
    told: dict[str, object] = {}
    for section in ("server", "memory", "persistence"):
        told |= server.run("INFO", section)
    saves = True
    # Hosted servers often keep their configuration to themselves.
    with suppress(StoreError):
        _, points = server.run("CONFIG", "GET", "save")
        saves = bool(points)
    return RedisFacts(
        version=str(told.get("redis_version", "")),
        policy=str(told.get("maxmemory_policy", _NEVER_EVICTS)),
        persists=bool(told.get("aof_enabled")) or saves,
    )
