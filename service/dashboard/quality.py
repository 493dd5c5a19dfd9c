"""The page of data quality: violations by check, what the checks measured, and every violation."""

from dataclasses import dataclass

from fastapi import Request, Response
from nicegui import ui

from service.context import Service
from service.dashboard import charts
from service.dashboard.episodes import NOBODY, episode_table
from service.dashboard.frame import caller_of, framed, missing, model_path, to_login
from service.dashboard.model import stamp_of
from service.dashboard.model_parts import line_chart
from service.dashboard.parts import Live, banner, heading, table
from service.models import WatchedModel
from service.problems import ProblemError
from service.views.lines import Line
from service.views.standing import counted
from service.views.violations import CheckStanding, by_check, lines_of, violations_of
from state.stores.episodes import StoredEpisode

_HEAD = ("check", "family", "go on", "over", "of", "last change")

MOST = 100
"""Violations that are listed, the last ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    checks: tuple[CheckStanding, ...]
    violations: tuple[StoredEpisode, ...]
    lines: tuple[Line, ...]


def add_quality(service: Service) -> None:
    """Add the page."""

    @ui.page("/models/{name}/quality")
    def quality_page(name: str, request: Request) -> Response | None:
        if caller_of(service, request) is None:
            return to_login(request)
        try:
            model = service.model(name)
        except ProblemError as problem:
            return missing(request, problem)
        with framed(f"Data quality of {model.name}", model=model, here=model_path(name, "/quality")):
            Live(lambda: stamp_of(service, model), lambda: _load(service, model), lambda f: _draw(f, model))
        return None


def _load(service: Service, model: WatchedModel) -> _Found:
    with service.store(model) as store:
        found = violations_of(store, model)
        return _Found(
            checks=by_check(found),
            violations=found[-MOST:],
            lines=lines_of(store, model, found, model.windows[0].name),
        )


def _draw(found: _Found, model: WatchedModel) -> None:
    going = sum(each.going for each in found.checks)
    if not found.checks:
        banner("No check was ever violated.", "ok")
        return
    told = f"{counted(going, 'violation')} go on." if going != 1 else "1 violation goes on."
    banner(told if going else "No check is violated.", "suspect" if going else "ok")
    heading(2, "By check")
    rows = [
        [
            each.check,
            each.family,
            str(each.going),
            str(each.ended),
            ", ".join(name or "all records" for name in each.columns),
            charts.time_text(each.last, model.axis),
        ]
        for each in found.checks
    ]
    table("Violations by check", _HEAD, rows)
    with ui.element("div").classes("cards"):
        for line in found.lines:
            title = f"{line.title} of {line.feature or 'all records'} ({model.windows[0].name})"
            line_chart(title, [line], model)
    heading(2, "Every violation")
    episode_table("Violations", found.violations, model, NOBODY)
