"""Puts the pages into the application of the API: one process, one address, nothing from elsewhere."""

import secrets

from fastapi import FastAPI
from nicegui import app as pages
from nicegui import ui
from starlette.middleware.sessions import SessionMiddleware
from starlette.routing import Match, Mount
from starlette.types import Scope

from service.context import Service
from service.dashboard import compare, login
from service.dashboard.events import add_events
from service.dashboard.feature import add_feature
from service.dashboard.model import add_model
from service.dashboard.overview import add_overview
from service.dashboard.quality import add_quality
from service.dashboard.references import add_references

_SESSION_S = 12 * 3600
"""How long a key that was shown counts; shorter where the service starts again."""


class _Pages(Mount):
    """Answers what no route does, except below /v1: what asks there is a program."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether a request is for a page."""
        if scope["path"].startswith("/v1/"):
            return Match.NONE, {}
        return super().matches(scope)


def mount_dashboard(app: FastAPI, service: Service) -> None:
    """Add the pages; once per process, for they are registered with the library as a whole."""
    app.include_router(login.router)
    app.include_router(compare.router)
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
    app.add_middleware(
        SessionMiddleware,
        secret_key=secrets.token_urlsafe(32),
        session_cookie="driftflow",
        max_age=_SESSION_S,
        same_site="strict",
    )
