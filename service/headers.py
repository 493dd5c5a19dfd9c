"""Headers that every answer carries, so that browsers trust as little as possible."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Without any referrer a browser names no origin of our own forms either.
    "Referrer-Policy": "same-origin",
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


class Headers:
    """ASGI middleware that puts the headers on; what a route sets itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and put headers on its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = dict(_ALWAYS)
        if not scope["path"].startswith(_NO_PAGES):
            wanted["Content-Security-Policy"] = PAGES_POLICY
        if scope["path"].startswith("/v1"):
            wanted["Cache-Control"] = "no-store"

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in wanted.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, headed)
