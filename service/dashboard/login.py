"""Asks for a key once, and keeps in a signed session whose it is."""

from html import escape
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from service.audit import leave_page
from service.context import service_of
from service.security import SESSION_KEY

router = APIRouter(include_in_schema=False)

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Key - driftflow</title>
<style>:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
main {{ max-width: 380px; margin: 12vh auto; padding: 0 16px; }} input, button {{ font: inherit; width: 100%;
box-sizing: border-box; padding: 8px; margin-top: 8px; }} [role=alert] {{ color: #c4342b; }}</style>
<main><h1>driftflow</h1><form method="post" action="/login"><input type="hidden" name="then" value="{then}">
<label for="key">API key</label><input id="key" name="key" type="password" required autofocus
autocomplete="current-password" maxlength="500"><button>Show the pages</button></form>{told}</main></html>
"""


@router.get("/login")
def ask(then: Annotated[str, Query(max_length=500)] = "/") -> HTMLResponse:
    """Ask for a key."""
    return HTMLResponse(_PAGE.format(then=escape(then), told=""))


@router.post("/login")
def enter(
    request: Request,
    key: Annotated[str, Form(max_length=500)],
    then: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    """Take a key, and go on to the page that was asked for."""
    found = service_of(request).keys.find(key)
    if found is None:
        told = '<p role="alert">Nobody has this key.</p>'
        return HTMLResponse(_PAGE.format(then=escape(then), told=told), status_code=401)
    request.session[SESSION_KEY] = found.name
    return RedirectResponse(inside(then), status_code=303)


@router.post("/logout")
def leave(request: Request) -> RedirectResponse:
    """Forget who has shown a key."""
    leave_page(request.scope)
    request.session.clear()
    return RedirectResponse("/login", status_code=303)


def inside(path: str) -> str:
    """Return a path of this service, whatever was asked for: nobody is sent elsewhere.

    Examples
    --------
    >>> inside("/models/fraud"), inside("//evil.example"), inside("https://evil.example")
    ('/models/fraud', '/', '/')
    """
    safe = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if safe else "/"
