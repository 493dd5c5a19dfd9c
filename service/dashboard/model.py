"""The page of one model: a heat map of its columns, what is known of its windows, and what goes on."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import Request, Response
from nicegui import ui

from service.context import Service
from service.dashboard import charts
from service.dashboard.episodes import Seen, episode_table, seen_of
from service.dashboard.frame import caller_of, framed, missing, model_path, to_login
from service.dashboard.kept import expansion
from service.dashboard.model_parts import column_table, heat_values, line_chart, open_feature
from service.dashboard.parts import Live, banner, chart, heading, quiet
from service.models import WatchedModel
from service.problems import ProblemError
from service.views.heat import HeatMap, heat_map
from service.views.lines import Line, first_shown, model_lines
from service.views.standing import Standing, standing_of
from service.views.telling import told_heat
from state.stores.alerts import Acknowledgement
from state.stores.episodes import StoredEpisode

SPANS = {48: "last 48 windows", 200: "last 200 windows", 720: "last 720 windows", 0: "all windows"}
"""How many windows a page shows."""

_FEW = 12
"""Columns that are listed without being asked for."""


@dataclass(slots=True)
class Asked:
    """What the controls of a page say."""

    window: str
    windows: int = 200
    page: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    standing: Standing
    heat: HeatMap
    lines: tuple[Line, ...]
    episodes: tuple[StoredEpisode, ...]
    acknowledgements: tuple[Acknowledgement, ...]


def add_model(service: Service) -> None:
    """Add the page."""

    @ui.page("/models/{name}")
    def model_page(name: str, request: Request) -> Response | None:
        caller = caller_of(service, request)
        if caller is None:
            return to_login(request)
        try:
            model = service.model(name)
        except ProblemError as problem:
            return missing(request, problem)
        asked = Asked(model.windows[0].name)
        with framed(model.name, model=model, here=model_path(model.name)):
            controls = ui.element("div").classes("controls")
            live: Live[Any] = Live(
                lambda: stamp_of(service, model),
                lambda: _load(service, model, asked),
                lambda found: _draw(
                    found, model, asked, live, seen_of(service, model, caller, found.acknowledgements, live)
                ),
            )
            with controls:
                window_controls(model, asked, live)
        return None


def stamp_of(service: Service, model: WatchedModel) -> object:
    """Return what changes with every window, change of references and acknowledgement."""

    def read() -> object:
        with service.store(model) as store:
            newest = store.events(model.name, model_version=model.version, newest_first=True, limit=1)
            return (
                newest[0].id if newest else None,
                store.activations(model.name, model.version),
                tuple(each.episode for each in store.acknowledgements(model.name)),
            )

    return service.news.of(model.name, read)


def window_controls(model: WatchedModel, asked: Asked, live: Live[Any]) -> None:
    """Choose the kind of window and how many are shown."""

    async def changed() -> None:
        asked.page = 0
        await live.again()

    ui.select([each.name for each in model.windows], label="Window", on_change=changed).bind_value(
        asked, "window"
    )
    ui.select(SPANS, label="Shown", on_change=changed).bind_value(asked, "windows")


def _load(service: Service, model: WatchedModel, asked: Asked) -> _Found:
    window = next(each for each in model.windows if each.name == asked.window)
    with service.store(model) as store:
        start = first_shown(store, model, window, asked.windows) if asked.windows else None
        return _Found(
            standing=standing_of(store, model),
            heat=heat_map(store, model, window.name, start=start, page=asked.page),
            lines=model_lines(store, model, window.name, start),
            episodes=tuple(store.episodes(model.name, model_version=model.version, open_only=True)),
            acknowledgements=tuple(store.acknowledgements(model.name)),
        )


def _draw(found: _Found, model: WatchedModel, asked: Asked, live: Live[Any], seen: Seen) -> None:
    banner(found.standing.told, found.standing.level)
    if found.standing.last_window is None:
        quiet("Windows appear here as a run closes them: driftflow run CONFIG.")
        return
    drawn = chart(
        f"Drift by column and window ({asked.window})",
        charts.heat_options(found.heat, model.axis),
        lambda: heat_values(found.heat, model),
        told=told_heat(found.heat, partial(charts.time_text, axis=model.axis)),
        height=charts.heat_height(found.heat),
    )
    drawn.on_point_click(lambda event: open_feature(model, found.heat, event))
    if found.heat.pages > 1:
        _pages(found.heat, asked, live)
    expansion(
        "Columns of this page",
        opened=len(found.heat.features) <= _FEW,
        fill=lambda: column_table(found.heat, model),
    ).classes("w-full")
    with ui.element("div").classes("cards"):
        for line in found.lines:
            title = f"{line.title} of {line.feature}" if line.feature else line.title
            line_chart(title, [line], model)
    heading(2, "What goes on")
    episode_table("Open episodes", found.episodes, model, seen)


def _pages(heat: HeatMap, asked: Asked, live: Live[Any]) -> None:
    async def turn(by: int) -> None:
        asked.page = heat.page + by
        await live.again()

    with ui.row().classes("items-center"):
        before = ui.button("Columns before", on_click=lambda: turn(-1)).props("flat no-caps")
        before.set_enabled(heat.page > 0)
        ui.label(f"Page {heat.page + 1} of {heat.pages}; columns in drift come first.").classes("quiet")
        after = ui.button("More columns", on_click=lambda: turn(1)).props("flat no-caps")
        after.set_enabled(heat.page + 1 < heat.pages)
