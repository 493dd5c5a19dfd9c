"""Opens the store that a path or URL names."""

from pathlib import Path

from state.stores.base import KEEP_ALL, Keeping, Store, StoreError
from state.stores.redis import RedisStore
from state.stores.sqlite import SqliteStore

_WANTED = "a path, sqlite:///path, redis://host:port/0, rediss://, redis+sentinel:// or redis+cluster://"
_SQLITE = "sqlite:///"


def open_store(location: str | Path, keeping: Keeping = KEEP_ALL) -> Store:
    """Open a store.

    Parameters
    ----------
    location
        A path or ``sqlite:///path`` (``sqlite:////path`` for an absolute one) for one file;
        ``redis://…``, ``rediss://…``, ``redis+sentinel://…`` or ``redis+cluster://…`` for Redis.
    keeping
        How much is kept.

    Raises
    ------
    StoreError
        It names no store, or the store cannot be opened. The message holds no password.
    """
    if isinstance(location, Path):
        return SqliteStore(location, keeping=keeping)
    scheme, separator, _ = location.partition("://")
    if scheme.lower() == "memory:" or location.lower().startswith(("memory:", ":memory:")):
        raise StoreError(
            "store location: 'memory:' would end with the process, and other processes could not read it: "
            f"wanted {_WANTED}"
        )
    if scheme.lower().startswith("redis") and separator:
        return RedisStore(location, keeping=keeping)
    if location.lower().startswith(_SQLITE) and len(location) > len(_SQLITE):
        return SqliteStore(Path(location[len(_SQLITE) :]), keeping=keeping)
    if separator or not location or location.lower().startswith(("redis:", "rediss:", "sqlite:")):
        # Of a URL only the scheme is repeated: the rest may hold a password.
        found = f"{scheme}://" if separator else repr(location.partition(":")[0])
        raise StoreError(f"store location: found {found}: wanted {_WANTED}")
    return SqliteStore(Path(location), keeping=keeping)
