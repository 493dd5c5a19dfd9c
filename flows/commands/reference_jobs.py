"""Lists, shows and activates references."""

from pathlib import Path

import msgspec

from detectors.performance.base import Metric
from flows.commands.config_explain_job import typical_rows
from flows.commands.console import results, say, show
from flows.commands.document import print_json, write_page
from flows.commands.stored import (
    activate_version,
    active_version,
    find_version,
    open_store,
    schedule_of,
)
from flows.config import Config, load_config
from flows.generations import TooEarlyError, first_pane, lineage_of, moment_text, read_moment, takes_over
from flows.pages.reference import reference_page
from flows.recovery_facts import check_references
from flows.render.references import ColumnFacts, column_facts, list_lines, reference_lines, schedule_lines
from flows.render.segments import SegmentFacts, segment_facts, segment_lines
from state.reference import Provenance, load
from state.stores.base import Activation, ReferenceInfo


class ListedReference(msgspec.Struct, frozen=True, kw_only=True):
    """One reference as ``reference list --json`` prints it.

    `active`: it is the one activated last; `takes_over`: from when on it counts, null from the beginning, for
    each time it was activated.
    """

    reference: ReferenceInfo
    active: bool
    takes_over: tuple[str | None, ...]


class ShownReference(msgspec.Struct, frozen=True, kw_only=True):
    """One reference as ``reference show --json`` prints it; `active` and `takes_over` as in a list."""

    model: str
    version: str
    active: bool
    takes_over: tuple[str | None, ...]
    provenance: Provenance
    columns: tuple[ColumnFacts, ...]
    metrics: tuple[Metric, ...]
    segments: tuple[SegmentFacts, ...]


class ActivatedReference(msgspec.Struct, frozen=True, kw_only=True):
    """What ``reference activate --json`` prints; `before` is the version that was active until now.

    `takes_over` is the event time from which it counts; null from the beginning.
    """

    model: str
    version: str
    before: str | None
    takes_over: str | None


def list_stored(path: Path, *, json: bool) -> None:
    """List the references of a configured model."""
    config = load_config(path)
    model = config.file.model.name
    infos: list[ReferenceInfo] = []
    schedule: tuple[Activation, ...] = ()
    if not isinstance(config.store, Path) or config.store.exists():
        with open_store(config) as store:
            infos, schedule = store.references(model), schedule_of(store, config)
    active = schedule[-1].version if schedule else None
    times = [(found.version, takes_over(config, found)) for found in schedule]
    if json:
        print_json(
            [
                ListedReference(
                    reference=info,
                    active=info.version == active,
                    takes_over=tuple(time for version, time in times if version == info.version),
                )
                for info in infos
            ]
        )
    elif infos:
        console = results()
        show(console, [*list_lines(infos, active, console.width), *schedule_lines(times[1:], console.width)])
    else:
        say(f"model {model!r} has no reference yet: driftflow reference build {path} FILE")


def show_stored(path: Path, beginning: str | None, *, html: Path | None, json: bool) -> None:
    """Show the columns of one reference, on the terminal or as a page."""
    config = load_config(path)
    model = config.file.model.name
    with open_store(config) as store:
        version = find_version(store, config, str(path), beginning)
        schedule = schedule_of(store, config)
        reference = load(store.reference(model, version))
    window = typical_rows(config, reference)
    active = bool(schedule) and schedule[-1].version == version
    times = tuple(takes_over(config, found) for found in schedule if found.version == version)
    found = ShownReference(
        model=model,
        version=version,
        active=active,
        takes_over=times,
        provenance=reference.provenance,
        columns=tuple(column_facts(feature, window) for feature in reference.features),
        metrics=() if reference.outcomes is None else reference.outcomes.metrics,
        segments=segment_facts(reference, config.segments.min_rows),
    )
    if html is not None:
        write_page(html, reference_page(found, reference))
    if json:
        print_json(found)
        return
    console = results()
    show(console, reference_lines(reference, active=active, rows=window, width=console.width))
    show(console, segment_lines(found.segments, console.width))
    said = [(version, time) for time in times if time is not None]
    show(console, schedule_lines(said, console.width))


def activate_stored(path: Path, beginning: str, *, moment: str | None, json: bool) -> None:
    """Make a stored version the active one, from the beginning or from a moment on."""
    config = load_config(path)
    model = config.file.model.name
    version, before, time = activated(config, str(path), beginning, moment)
    if json:
        print_json(ActivatedReference(model=model, version=version, before=before, takes_over=time))
    elif time is not None:
        say(f"Reference {version} takes over from {before} for windows that start at {time} or later.")
    elif before == version:
        say(f"Reference {version} was active already.")
    else:
        say(f"Reference {version} is active" + (f" in the place of {before}." if before else "."))


def activated(
    config: Config, config_name: str, beginning: str, moment: str | None
) -> tuple[str, str | None, str | None]:
    """Activate a version; return it, the one before it, and from when on it counts (None: the beginning).

    Raises
    ------
    NoReferenceError
        No version or more than one begins so.
    OffGridError, TooEarlyError
        It cannot take over at this moment.
    """
    with open_store(config) as store:
        version = find_version(store, config, config_name, beginning)
        before = active_version(store, config)
        start = None if moment is None else read_moment(config, moment)
        activation = Activation(version=version, effective_from=start)
        if start is not None:
            check_activation(config, schedule_of(store, config), activation)
        activate_version(store, config, version, effective_from=start)
    return version, before, takes_over(config, activation)


def check_activation(config: Config, schedule: tuple[Activation, ...], activation: Activation) -> None:
    """Refuse a moment that cannot be.

    Raises
    ------
    OffGridError
        It lies within a pane.
    TooEarlyError
        It does not lie behind the last reference's, or the run in the configured recovery folder has read its
        rows already.
    """
    start = activation.effective_from
    if start is None or activation in schedule:
        return
    first_pane(config, activation.version, start)
    if not schedule:
        raise TooEarlyError(
            f"reference {activation.version} cannot take over at {moment_text(config, start)}, because there "
            "is none before it: activate one without '--from' first"
        )
    last = schedule[-1]
    if last.effective_from is not None and start <= last.effective_from:
        raise TooEarlyError(
            f"reference {activation.version} cannot take over at {moment_text(config, start)}: "
            f"{last.version} does so at {moment_text(config, last.effective_from)}; name a later moment, or "
            "leave '--from' out to replace them all from the beginning"
        )
    if config.file.recovery is not None:
        folder = config.folder / config.file.recovery.folder
        check_references(folder, config, lineage_of(config, (*schedule, activation)))
