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


def add_headers(app: FastAPI) -> None:
    """Put the headers on; what a route sets itself stays."""

    @app.middleware("http")
    async def _headed(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await answer(request)
        for name, value in _ALWAYS.items():
            response.headers.setdefault(name, value)
        if request.url.path.startswith("/v1"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
