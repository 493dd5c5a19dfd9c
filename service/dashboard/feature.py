"""The page of one column: both sides, how it moved, its score with its limit, and its episodes."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import Request, Response
from nicegui import ui

from service.context import Service
from service.dashboard import charts
from service.dashboard.episodes import Seen, episode_table, seen_of
from service.dashboard.frame import caller_of, feature_path, framed, missing, to_login
from service.dashboard.model import Asked, stamp_of, window_controls
from service.dashboard.model_parts import bands_values, line_chart, sides_values
from service.dashboard.parts import Live, banner, chart, facts, heading, quiet
from service.models import WatchedColumn, WatchedModel, WatchedWindow
from service.problems import ProblemError
from service.views.history import History, history_of
from service.views.loaded import LoadedReferences
from service.views.sides import Bands, Sides, bands_of, sides_of
from service.views.telling import told_bands, told_sides
from state.stores.alerts import Acknowledgement


@dataclass(slots=True)
class AskedColumn(Asked):
    """What the controls of this page say; no segment: those furthest off."""

    segments: list[str] | None = None
    picker: ui.select | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    history: History
    sides: Sides | None
    bands: Bands | None
    acknowledgements: tuple[Acknowledgement, ...]


def add_feature(service: Service) -> None:
    """Add the page."""
    references = LoadedReferences()

    @ui.page("/models/{name}/features/{feature:path}")
    def feature_page(name: str, feature: str, request: Request) -> Response | None:
        caller = caller_of(service, request)
        if caller is None:
            return to_login(request)
        try:
            model = service.model(name)
            column = column_of(model, feature)
        except ProblemError as problem:
            return missing(request, problem)
        asked = AskedColumn(model.windows[0].name)
        with framed(f"{column.name} of {model.name}", model=model, here=feature_path(name, feature)):
            controls = ui.element("div").classes("controls")
            live: Live[Any] = Live(
                lambda: stamp_of(service, model),
                lambda: _load(service, references, model, column, asked),
                lambda found: _draw(
                    found, model, column, asked, seen_of(service, model, caller, found.acknowledgements, live)
                ),
            )
            with controls:
                window_controls(model, asked, live)
                asked.picker = _segment_picker(asked, live)
        return None


def _segment_picker(asked: AskedColumn, live: Live[Any]) -> ui.select:
    """Choose segments; it is there once the column is known to be measured in some."""
    picker = ui.select([], label="Segments", multiple=True, clearable=True, on_change=live.again)
    picker.bind_value(asked, "segments").props("use-chips")
    picker.set_visibility(False)
    return picker


def column_of(model: WatchedModel, feature: str) -> WatchedColumn:
    """Return a column.

    Raises
    ------
    ProblemError
        The model has none of this name.
    """
    found = next((column for column in model.columns if column.name == feature), None)
    if found is None:
        raise ProblemError(404, f"{model.name} has no column {feature!r}.")
    return found


def _window(model: WatchedModel, name: str) -> WatchedWindow:
    return next(each for each in model.windows if each.name == name)


def _load(
    service: Service,
    references: LoadedReferences,
    model: WatchedModel,
    column: WatchedColumn,
    asked: AskedColumn,
) -> _Found:
    window = _window(model, asked.window)
    with service.store(model) as store:
        history = history_of(
            store, model, window, column.name, windows=asked.windows, segments=tuple(asked.segments or ())
        )
        sides = None
        if history.end is not None:
            sides = sides_of(store, model, window, column.name, history.end, references=references)
        bands = bands_of(store, model, column.name, references=references)
        acknowledgements = tuple(store.acknowledgements(model.name, [each.id for each in history.episodes]))
    return _Found(history=history, sides=sides, bands=bands, acknowledgements=acknowledgements)


def _draw(found: _Found, model: WatchedModel, column: WatchedColumn, asked: AskedColumn, seen: Seen) -> None:
    history = found.history
    if history.end is None:
        quiet("No window of this kind has closed yet.")
        return
    if asked.picker is not None and tuple(asked.picker.options) != history.known_segments:
        asked.picker.set_options(list(history.known_segments))
        asked.picker.set_visibility(bool(history.known_segments))
    banner(history.told, history.level)
    facts(
        [
            ("kind", column.kind),
            ("role", column.role),
            ("computed from", column.formula or "the field of that name"),
            ("last window ends", charts.time_text(history.end, model.axis)),
        ]
    )
    with ui.element("div").classes("cards"):
        if found.sides is not None:
            chart(
                f"Reference against the last window ({asked.window}, {found.sides.rows:,} rows)",
                charts.sides_options(found.sides),
                partial(sides_values, found.sides),
                told=told_sides(found.sides),
                name="sides",
            )
        if found.bands is not None:
            chart(
                "Quantiles over time (5, 25, 50, 75, 95 %); dashed: the reference",
                charts.bands_options(found.bands, model.axis),
                partial(bands_values, found.bands, model),
                told=told_bands(found.bands, charts.number_text),
            )
        _history_cards(history, model, asked)
    heading(2, "Episodes")
    episode_table("Episodes", history.episodes, model, seen)


def _history_cards(history: History, model: WatchedModel, asked: AskedColumn) -> None:
    for line, limits in history.lines:
        line_chart(line.title, [line], model, limits=limits, spans=history.spans)
    for title, lines in (
        ("Effect by kind of window", history.side_by_side if len(history.side_by_side) > 1 else ()),
        (
            "Effect by segment" if asked.segments else "Effect by segment, those furthest off",
            history.segments,
        ),
        ("Share of the traffic by segment", history.traffic),
    ):
        if lines:
            line_chart(title, lines, model)
