"""The frame around every page: who may see it, where else to go, and how it looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from nicegui import Client, ui

from service.callers import address
from service.context import Service
from service.dashboard.ink import EXCHANGE
from service.dashboard.parts import banner, heading
from service.models import WatchedModel
from service.problems import ProblemError
from service.security import ANYONE, SESSION_KEY, Caller

_STYLE = (Path(__file__).parent / "dashboard.css").read_text(encoding="utf-8")
_TABLES = (Path(__file__).parent / "tables.js").read_text(encoding="utf-8")

_PARTS = (
    ("", "Overview"),
    ("/events", "Events"),
    ("/quality", "Data quality"),
    ("/references", "References"),
)
"""Pages of a model, and what the links to them say."""


def caller_of(service: Service, request: Request) -> Caller | None:
    """Return who looks at a page; None where they have to show a key first."""
    if not service.keys.callers:
        return ANYONE
    name = request.session.get(SESSION_KEY)
    return next((caller for _key, caller in service.keys.callers if caller.name == name), None)


def note_deed(service: Service, caller: Caller, what: str, *, done: bool) -> None:
    """Write into the audit log what somebody told a page to do; called while the page handles it."""
    request = ui.context.client.request
    service.audit.write(
        who=caller.name,
        what=what,
        path=request.url.path,
        origin=address(request.scope),
        outcome="done" if done else "refused",
    )


def to_login(request: Request) -> RedirectResponse:
    """Ask for a key, and come back."""
    return RedirectResponse(f"/login?then={quote(request.url.path)}", status_code=303)


def missing(request: Request, problem: ProblemError, client: Client | None = None) -> Response:
    """Say that there is no such page, or that it cannot be shown now."""
    with framed("Not found" if problem.status == HTTPStatus.NOT_FOUND else "Not to be shown"):
        banner(problem.detail, "suspect")
    return (client or ui.context.client).build_response(request, problem.status)


def model_path(model: str, part: str = "") -> str:
    """Return where a page of a model is."""
    return f"/models/{quote(model, safe='')}{part}"


def feature_path(model: str, feature: str) -> str:
    """Return where the page of a column is."""
    return model_path(model, f"/features/{quote(feature, safe='')}")


@contextmanager
def framed(title: str, *, model: WatchedModel | None = None, here: str = "") -> Iterator[None]:
    """Put a page into its frame.

    Parameters
    ----------
    here
        Path of the page, to mark the link that leads to it.
    """
    ui.page_title(f"{title} - driftflow")
    ui.add_css(_STYLE)
    ui.add_head_html(f"<script>{_TABLES}</script><script>{EXCHANGE}</script>")
    with ui.header().props("bordered"), ui.element("nav").classes("bar") as bar:
        bar.props["aria-label"] = "Pages"
        ui.link("Skip to content", "#content").classes("skip")
        _link("Models", "/", here)
        _link("Compare files", "/compare", here)
        _link("API", "/docs", here)
        if model is not None:
            for part, name in _PARTS:
                path = model_path(model.name, part)
                _link(name if part else model.name, path, here)
        _logout()
    ui.link_target("content")
    heading(1, title)
    yield


def _logout() -> None:
    """Offer to forget a key that was shown; the cookie of the session is never sent by other sites."""
    request = ui.context.client.request
    name = request.session.get(SESSION_KEY) if "session" in request.scope else None
    if name:
        ui.html(
            '<form method="post" action="/logout">'
            f'<button class="deed" type="submit">Log out {escape(name)}</button></form>',
            sanitize=False,
        )


def _link(text: str, path: str, here: str) -> None:
    link = ui.link(text, path)
    if path == here:
        link.props["aria-current"] = "page"
