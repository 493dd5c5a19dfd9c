"""Headers that every answer carries, so that browsers trust as little as possible."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

PAGES_POLICY = (
    "default-src 'none'; "
    # The library of the pages starts itself inline, and compiles formatters and handlers of events.
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What pages may load, run and send: nothing from or to elsewhere."""

_NO_PAGES = ("/v1", "/docs", "/openapi.json")
"""What is no page of ours."""


def add_headers(app: FastAPI) -> None:
    """Put the headers on; what a route sets itself stays."""

    @app.middleware("http")
    async def _headed(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await answer(request)
        for name, value in _ALWAYS.items():
            response.headers.setdefault(name, value)
        if not request.url.path.startswith(_NO_PAGES):
            response.headers.setdefault("Content-Security-Policy", PAGES_POLICY)
        if request.url.path.startswith("/v1"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
