"""The page of events, with filters, and the page of one event."""

from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Request, Response
from nicegui import ui

from service.context import Service
from service.dashboard.charts import time_text
from service.dashboard.frame import caller_of, feature_path, framed, missing, model_path, to_login
from service.dashboard.model import stamp_of
from service.dashboard.parts import Cell, Live, facts, heading, quiet, table
from service.models import WatchedModel
from service.problems import ProblemError
from service.views.happenings import CHANGES, PREFIX, Happenings, happenings
from state.events import EventType
from state.stores.base import NotFoundError, StoredEvent, StoreError

_ALL = ""
"""Stands in a filter for everything."""

_HEAD = ("event", "severity", "column", "window", "window ends", "what was found")


@dataclass(slots=True)
class _Asked:
    type: str = _ALL
    window: str = _ALL
    feature: str = _ALL
    beyond: str | None = None


def add_events(service: Service) -> None:
    """Add both pages."""

    @ui.page("/models/{name}/events")
    def events_page(name: str, request: Request) -> Response | None:
        if caller_of(service, request) is None:
            return to_login(request)
        try:
            model = service.model(name)
        except ProblemError as problem:
            return missing(request, problem)
        asked = _Asked()
        with framed(f"Events of {model.name}", model=model, here=model_path(name, "/events")):
            controls = ui.element("div").classes("controls")
            live: Live[Any] = Live(
                lambda: stamp_of(service, model),
                lambda: _load(service, model, asked),
                lambda found: _draw(found, model, asked, live),
            )
            with controls:
                _filters(model, asked, live)
        return None

    @ui.page("/models/{name}/events/{event_id}")
    def event_page(name: str, event_id: str, request: Request) -> Response | None:
        if caller_of(service, request) is None:
            return to_login(request)
        try:
            model = service.model(name)
            with service.store(model) as store:
                event = store.event(model.name, event_id)
        except ProblemError as problem:
            return missing(request, problem)
        except StoreError as error:
            status = 404 if isinstance(error, NotFoundError) else 503
            return missing(request, ProblemError(status, str(error)))
        with framed(event.type.removeprefix(PREFIX), model=model):
            _draw_event(event, model)
        return None


def _filters(model: WatchedModel, asked: _Asked, live: Live[Any]) -> None:
    async def changed() -> None:
        asked.beyond = None
        await live.again()

    types = {_ALL: "all changes"} | {each.value: each.value.removeprefix(PREFIX) for each in EventType}
    windows = {_ALL: "all"} | {each.name: each.name for each in model.windows}
    columns = {_ALL: "all"} | {each.name: each.name for each in model.columns}
    for options, label, field in (
        (types, "Event", "type"),
        (windows, "Window", "window"),
        (columns, "Column", "feature"),
    ):
        ui.select(options, label=label, on_change=changed, with_input=options is columns).bind_value(
            asked, field
        )


def _load(service: Service, model: WatchedModel, asked: _Asked) -> Happenings:
    with service.store(model) as store:
        return happenings(
            store,
            model,
            types=[asked.type] if asked.type else CHANGES,
            window=asked.window or None,
            feature=asked.feature or None,
            beyond=asked.beyond,
        )


def _draw(found: Happenings, model: WatchedModel, asked: _Asked, live: Live[Any]) -> None:
    if not found.events:
        quiet("No event matches.")
        return
    rows: list[list[Cell]] = [
        [
            (each.type, model_path(model.name, f"/events/{each.id}")),
            each.severity,
            (each.feature, feature_path(model.name, each.feature)) if each.feature else "all records",
            each.window,
            time_text(each.end, model.axis),
            each.told,
        ]
        for each in found.events
    ]
    table("Events", _HEAD, rows)

    async def go(beyond: str | None) -> None:
        asked.beyond = beyond
        await live.again()

    with ui.row():
        if asked.beyond is not None:
            ui.button("Newest", on_click=lambda: go(None)).props("flat no-caps")
        if found.following is not None:
            ui.button("Older", on_click=lambda: go(found.following)).props("flat no-caps")


def _draw_event(event: StoredEvent, model: WatchedModel) -> None:
    facts(
        [
            ("id", event.id),
            ("window", event.window),
            ("window ends", time_text(event.end, model.axis)),
            ("column", event.feature or "all records"),
        ]
    )
    if event.feature in {column.name for column in model.columns}:
        ui.link(f"Page of {event.feature}", feature_path(model.name, str(event.feature)))
    heading(2, "The event as it was written")
    text = orjson.dumps(orjson.loads(event.body), option=orjson.OPT_INDENT_2).decode()
    ui.label(text).classes("document")
