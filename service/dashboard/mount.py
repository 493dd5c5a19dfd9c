"""Puts the pages into the application of the API: one process, one address, nothing from elsewhere."""

import secrets

from fastapi import FastAPI, Request, Response
from nicegui import Client, ui
from nicegui import app as pages
from nicegui.page import page
from starlette.middleware.sessions import SessionMiddleware
from starlette.routing import Match, Mount
from starlette.types import Scope

from service.context import Service
from service.dashboard import compare, login, reference_parts, span_parts
from service.dashboard.events import add_events
from service.dashboard.feature import add_feature
from service.dashboard.frame import framed, missing
from service.dashboard.model import add_model
from service.dashboard.overview import add_overview
from service.dashboard.parts import banner
from service.dashboard.quality import add_quality
from service.dashboard.references import add_references
from service.problems import ProblemError

_SESSION_S = 12 * 3600
"""How long a key that was shown counts; shorter where the service starts again."""


class _Pages(Mount):
    """Answers what no route does, except below /v1: what asks there is a program."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a request is for a page."""
        if scope["path"].startswith("/v1/"):
            return Match.NONE, {}
        return super().matches(scope)


def _no_page(request: Request, _error: Exception) -> Response:
    """Answer for an address that leads nowhere."""
    with Client(page(""), request=request) as client:
        return missing(request, ProblemError(404, f"There is no page at {request.url.path}."), client)


def _failed(_error: Exception) -> None:
    """Show that a page could not be built; what went wrong stands in the log, and not on the page."""
    with framed("This page could not be shown"):
        banner("Something went wrong in driftflow; its log says what. Load the page again.", "high")


def open_pages() -> int:
    """Return how many pages are open in browsers now."""
    return sum(client.has_socket_connection for client in list(Client.instances.values()))


def mount_dashboard(app: FastAPI, service: Service) -> None:
    """Add the pages; once per process, for they are registered with the library as a whole."""
    app.include_router(login.router)
    app.include_router(compare.router)
    app.include_router(reference_parts.router)
    app.include_router(span_parts.router)
    for add in (
        add_overview,
        add_model,
        add_feature,
        add_events,
        add_quality,
        add_references,
        compare.add_compare,
    ):
        add(service)

    ui.run_with(
        app, title="driftflow", dark=None, tailwind=False, show_welcome_message=False, language="en-US"
    )
    app.router.routes[-1] = _Pages("/", pages)
    pages.exception_handler(404)(_no_page)
    pages.on_page_exception(_failed)
    app.add_middleware(
        SessionMiddleware,
        secret_key=secrets.token_urlsafe(32),
        session_cookie="driftflow",
        max_age=_SESSION_S,
        same_site="strict",
    )
