"""The store that a configuration names, opened for one command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from detectors.base import DriftflowError
from flows.config import Config
from flows.connections import store_opener
from state.reference import Reference, load
from state.stores.base import Store


class NoReferenceError(DriftflowError):
    """There is no reference to work with; the message says how to get one."""


@contextmanager
def open_store(config: Config) -> Iterator[Store]:
    """Open the store; a file is made where it is missing."""
    if isinstance(config.store, Path):
        config.store.parent.mkdir(parents=True, exist_ok=True)
    store = store_opener(config)()
    try:
        yield store
    finally:
        store.close()


def active_reference(config: Config, config_name: str) -> Reference:
    """Return the active reference of the configured model.

    Raises
    ------
    NoReferenceError
        None was built, or none was activated.
    """
    model = config.file.model.name
    # Looking must not leave an empty store behind.
    if isinstance(config.store, Path) and not config.store.exists():
        raise _none_built(model, config_name)
    with open_store(config) as store:
        version = store.active(model)
        if version is not None:
            return load(store.reference(model, version))
        versions = [info.version for info in store.references(model)]
    if not versions:
        raise _none_built(model, config_name)
    raise NoReferenceError(
        f"model {model!r} has {len(versions)} references and none is active: choose one with "
        f"'driftflow reference activate {config_name} {versions[-1]}'"
    )


def find_version(store: Store, config: Config, config_name: str, beginning: str | None) -> str:
    """Return the version with this beginning, or the active one where it is None.

    Raises
    ------
    NoReferenceError
        No version or more than one begins so, or none is active.
    """
    model = config.file.model.name
    versions = [info.version for info in store.references(model)]
    if not versions:
        raise _none_built(model, config_name)
    if beginning is None:
        active = store.active(model)
        if active is None:
            raise NoReferenceError(
                f"model {model!r} has no active reference: name one of {', '.join(versions)}"
            )
        return active
    found = [version for version in versions if version.startswith(beginning)]
    if len(found) != 1:
        told = f"{len(found)} versions begin" if found else "no version begins"
        raise NoReferenceError(f"{told} with {beginning!r}, wanted one of {', '.join(found or versions)}")
    return found[0]


def _none_built(model: str, config_name: str) -> NoReferenceError:
    return NoReferenceError(
        f"model {model!r} has no reference yet: build one from good data with "
        f"'driftflow reference build {config_name} FILE'"
    )
