"""The store that a configuration names, opened for one command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from detectors.base import DriftflowError
from flows.config import Config
from flows.connections import store_opener
from flows.generations import lineage_of, load_generations
from flows.render.words import count_text
from state.generations import Generations, Lineage
from state.reference import load
from state.stores.base import Activation, Store


class NoReferenceError(DriftflowError):
    """There is no reference to work with; the message says how to get one."""


def make_folder(config: Config) -> None:
    """Make the folder of a store that is a file."""
    if isinstance(config.store, Path):
        config.store.parent.mkdir(parents=True, exist_ok=True)


@contextmanager
def open_store(config: Config) -> Iterator[Store]:
    """Open the store; a file is made where it is missing."""
    make_folder(config)
    store = store_opener(config)()
    try:
        yield store
    finally:
        store.close()


@contextmanager
def existing_store(config: Config, config_name: str) -> Iterator[Store]:
    """Open the store where there is one: looking must not leave an empty one behind.

    Raises
    ------
    NoReferenceError
        There is none yet.
    """
    if isinstance(config.store, Path) and not config.store.exists():
        raise _none_built(config.file.model.name, config_name)
    with open_store(config) as store:
        yield store


def active_generations(config: Config, config_name: str) -> Generations:
    """Return the references that the configured model version is compared with, and when each takes over.

    Raises
    ------
    NoReferenceError
        None was built, or none was activated.
    OffGridError
        One takes over within a pane of the configured windows.
    """
    lineage = active_lineage(config, config_name)
    with open_store(config) as store:
        model = config.file.model.name
        return load_generations(config, lineage, lambda version: load(store.reference(model, version)))


def active_lineage(config: Config, config_name: str) -> Lineage:
    """Return the versions alone.

    Raises
    ------
    NoReferenceError, OffGridError
        As `active_generations`.
    """
    with existing_store(config, config_name) as store:
        activations = schedule_of(store, config)
        if not activations:
            raise _none_active(store, config, config_name)
        return lineage_of(config, activations)


def schedule_of(store: Store, config: Config) -> tuple[Activation, ...]:
    """Return what the configured model version is compared with, oldest first."""
    return store.activations(config.file.model.name, config.file.model.version)


def active_version(store: Store, config: Config) -> str | None:
    """Return the reference that the configured model version was last told to be compared with."""
    schedule = schedule_of(store, config)
    return schedule[-1].version if schedule else None


def activate_version(
    store: Store, config: Config, version: str, *, effective_from: int | None = None
) -> None:
    """Compare the configured model version with a stored reference, from the beginning or from a pane on."""
    model = config.file.model
    activation = Activation(version=version, effective_from=effective_from)
    store.activate(model.name, model.version, activation)


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
        active = active_version(store, config)
        if active is None:
            raise NoReferenceError(
                f"version {config.file.model.version!r} of model {model!r} has no active reference: name one "
                f"of {', '.join(versions)}"
            )
        return active
    found = [version for version in versions if version.startswith(beginning)]
    if len(found) != 1:
        told = f"{len(found)} versions begin" if found else "no version begins"
        raise NoReferenceError(f"{told} with {beginning!r}, wanted one of {', '.join(found or versions)}")
    return found[0]


def _none_active(store: Store, config: Config, config_name: str) -> NoReferenceError:
    """Return the error for a model version that is compared with nothing; it says what to choose."""
    model, own_version = config.file.model.name, config.file.model.version
    versions = [info.version for info in store.references(model)]
    if not versions:
        return _none_built(model, config_name)
    others = store.activated_versions(model)
    if others:
        chosen = store.activations(model, others[-1])[-1].version
        return NoReferenceError(
            f"version {own_version!r} of model {model!r} has no reference, version {others[-1]!r} has "
            f"{chosen}: take it over with 'driftflow reference activate {config_name} {chosen}', or build one"
        )
    return NoReferenceError(
        f"model {model!r} has {count_text(len(versions), 'reference')} and none is active: choose one with "
        f"'driftflow reference activate {config_name} {versions[-1]}'"
    )


def _none_built(model: str, config_name: str) -> NoReferenceError:
    return NoReferenceError(
        f"model {model!r} has no reference yet: build one from good data with "
        f"'driftflow reference build {config_name} FILE'"
    )
