"""Lists, shows and activates references."""

from pathlib import Path

import msgspec

from flows.commands.console import results, say, show
from flows.commands.document import print_json
from flows.commands.stored import activate_version, active_version, find_version, open_store
from flows.config import load_config
from flows.render.references import ColumnFacts, column_facts, list_lines, reference_lines
from state.reference import Provenance, load
from state.stores.base import ReferenceInfo


class ListedReference(msgspec.Struct, frozen=True, kw_only=True):
    """One reference as ``reference list --json`` prints it."""

    reference: ReferenceInfo
    active: bool


class ShownReference(msgspec.Struct, frozen=True, kw_only=True):
    """One reference as ``reference show --json`` prints it."""

    model: str
    version: str
    active: bool
    provenance: Provenance
    columns: tuple[ColumnFacts, ...]


class ActivatedReference(msgspec.Struct, frozen=True, kw_only=True):
    """What ``reference activate --json`` prints; `before` is the version that was active until now."""

    model: str
    version: str
    before: str | None


def list_stored(path: Path, *, json: bool) -> None:
    """List the references of a configured model."""
    config = load_config(path)
    model = config.file.model.name
    infos: list[ReferenceInfo] = []
    active = None
    if not isinstance(config.store, Path) or config.store.exists():
        with open_store(config) as store:
            infos, active = store.references(model), active_version(store, config)
    if json:
        print_json([ListedReference(reference=info, active=info.version == active) for info in infos])
    elif infos:
        console = results()
        show(console, list_lines(infos, active, console.width))
    else:
        say(f"model {model!r} has no reference yet: driftflow reference build {path} FILE")


def show_stored(path: Path, beginning: str | None, *, json: bool) -> None:
    """Show the columns of one reference."""
    config = load_config(path)
    model = config.file.model.name
    with open_store(config) as store:
        version = find_version(store, config, str(path), beginning)
        active = active_version(store, config) == version
        reference = load(store.reference(model, version))
    if json:
        print_json(
            ShownReference(
                model=model,
                version=version,
                active=active,
                provenance=reference.provenance,
                columns=tuple(column_facts(feature) for feature in reference.features),
            )
        )
        return
    console = results()
    show(console, reference_lines(reference, active=active, width=console.width))


def activate_stored(path: Path, beginning: str, *, json: bool) -> None:
    """Make a stored version the active one."""
    config = load_config(path)
    model = config.file.model.name
    with open_store(config) as store:
        version = find_version(store, config, str(path), beginning)
        before = active_version(store, config)
        activate_version(store, config, version)
    if json:
        print_json(ActivatedReference(model=model, version=version, before=before))
    elif before == version:
        say(f"Reference {version} was active already.")
    else:
        say(f"Reference {version} is active" + (f" in the place of {before}." if before else "."))
