"""The page of references: which there are, which one counts from when, and a button that changes it."""

from dataclasses import dataclass
from typing import Any

from anyio.to_thread import run_sync
from fastapi import Request, Response
from nicegui import ui

from detectors.base import DriftflowError
from service.context import Service
from service.dashboard.charts import time_text
from service.dashboard.frame import caller_of, framed, missing, model_path, note_deed, to_login
from service.dashboard.model import stamp_of
from service.dashboard.parts import Live, banner, heading, quiet, table
from service.dashboard.reference_parts import Comparison, build_form
from service.models import WatchedModel
from service.problems import ProblemError
from service.security import Caller, Right
from service.views.loaded import LoadedReferences
from state.durations import Axis
from state.stores.base import Activation, ReferenceInfo, StoreError

_HEAD = ("version", "state", "rows", "built", "from", "to", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    references: tuple[ReferenceInfo, ...]
    schedule: tuple[Activation, ...]


def add_references(service: Service) -> None:
    """Add the page."""
    loaded = LoadedReferences()

    @ui.page("/models/{name}/references")
    def references_page(name: str, request: Request) -> Response | None:
        caller = caller_of(service, request)
        if caller is None:
            return to_login(request)
        try:
            model = service.model(name)
        except ProblemError as problem:
            return missing(request, problem)
        may = caller.right >= Right.ADMIN and service.ports is not None
        with framed(f"References of {model.name}", model=model, here=model_path(name, "/references")):
            live: Live[_Found] = Live(
                lambda: (stamp_of(service, model), _load(service, model)),
                lambda: _load(service, model),
                lambda found: _draw(found, model),
            )
            _comparison(service, loaded, model)
            if may:
                build_form(service, model, request)
                _activation(service, model, caller, live)
            else:
                quiet("Activating a reference needs a key with the role admin.")
        return None


def _load(service: Service, model: WatchedModel) -> _Found:
    with service.store(model) as store:
        return _Found(
            references=tuple(store.references(model.name)),
            schedule=store.activations(model.name, model.version),
        )


def _draw(found: _Found, model: WatchedModel) -> None:
    if not found.references:
        banner("There is no reference: driftflow reference build CONFIG FILE.", "nothing")
        return
    active = found.schedule[-1].version if found.schedule else None
    banner(f"Windows are compared with {active}." if active else "No reference is active.", "nothing")
    rows = [
        [
            info.version,
            "active" if info.version == active else "",
            f"{info.rows:,}",
            time_text(info.created_ms, Axis.MILLISECONDS),
            "" if info.start_ms is None else time_text(info.start_ms, model.axis),
            "" if info.end_ms is None else time_text(info.end_ms, model.axis),
            info.source,
        ]
        for info in reversed(found.references)
    ]
    table("References", _HEAD, rows)
    heading(2, "Which one counts when")
    schedule = [
        [
            each.version,
            "the beginning" if each.effective_from is None else time_text(each.effective_from, model.axis),
        ]
        for each in found.schedule
    ]
    table("Schedule", ("reference", "from"), schedule)


def _comparison(service: Service, loaded: LoadedReferences, model: WatchedModel) -> None:
    """Compare two references, where there are as many."""
    try:
        found = _load(service, model)
    except (DriftflowError, StoreError):
        # The list above says why.
        return
    versions = [info.version for info in reversed(found.references)]
    if len(versions) > 1:
        active = found.schedule[-1].version if found.schedule else None
        Comparison(service, loaded, model).show(versions, active)


def _activation(service: Service, model: WatchedModel, caller: Caller, live: Live[Any]) -> None:
    """Ask which reference to activate from when on, and do it."""
    heading(2, "Activate another")
    quiet("Without a time it counts from the beginning. Runs take it in when they start again.")
    try:
        versions = [info.version for info in reversed(_load(service, model).references)]
    except StoreError as error:
        quiet(str(error))
        return
    with ui.element("div").classes("controls"):
        version = ui.select(versions, label="Reference", value=versions[0] if versions else None)
        start = ui.input("From", placeholder="2026-01-05T00:00:00Z")

        async def activate() -> None:
            try:
                await run_sync(
                    service.needed_ports.activate, model.name, version.value, start.value.strip() or None
                )
            except (ProblemError, DriftflowError, StoreError) as error:
                note_deed(service, caller, f"activate {version.value}", done=False)
                ui.notify(str(error), type="negative", multi_line=True)
            else:
                note_deed(service, caller, f"activate {version.value}", done=True)
                ui.notify(f"{version.value} is active.", type="positive")
                await live.again()

        ui.button("Activate", on_click=activate).props("outline no-caps").set_enabled(bool(versions))
