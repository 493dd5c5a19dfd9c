"""The first page: all models, and how each stands."""

from fastapi import Request, Response
from nicegui import ui

from service.context import Service
from service.dashboard.charts import number_text, time_text
from service.dashboard.frame import caller_of, framed, model_path, to_login
from service.dashboard.parts import Live, banner, facts
from service.models import WatchedModel
from service.views.standing import Standing, standing_of

Standings = tuple[tuple[WatchedModel, Standing], ...]


def add_overview(service: Service) -> None:
    """Add the page."""

    def load() -> Standings:
        found = []
        for model in service.models.values():
            with service.store(model) as store:
                found.append((model, standing_of(store, model)))
        return tuple(found)

    @ui.page("/")
    def overview(request: Request) -> Response | None:
        if caller_of(service, request) is None:
            return to_login(request)
        with framed("Models", here="/"):
            # What is shown is small: it is its own sign of news.
            Live(load, load, _draw)
        return None


def _draw(found: Standings) -> None:
    with ui.element("div").classes("cards"):
        for model, standing in found:
            with ui.element("section").classes("box") as section:
                section.props["aria-label"] = model.name
                with ui.element("h2"):
                    ui.link(model.name, model_path(model.name))
                banner(standing.told, standing.level)
                end = standing.last_window
                pairs = [
                    ("version", model.version),
                    ("reference", standing.reference or "none"),
                    ("last window ends", "none yet" if end is None else time_text(end, model.axis)),
                    ("rows in it", number_text(standing.rows, "rows")),
                    ("columns in drift", number_text(standing.drift_share, "share")),
                    ("columns watched", str(len(model.columns))),
                ]
                facts(pairs)
