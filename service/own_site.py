"""Refuses what the page of another site lets a browser send here."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.problems import problem

_LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN = frozenset({"same-origin", "none"})
"""What a browser says of a request by a page of ours, and by the person before it."""

_POLICY_VIOLATION = 1008
"""RFC 6455, section 7.4.1."""

_DETAIL = (
    "A page of another site ({site}) lets this browser send it, which may change or start nothing here. "
    "Use the pages of the service itself, or send it without a browser; a proxy must keep the header Host."
)


class OwnSite:
    """ASGI middleware that lets a browser change something from the pages of this service alone.

    Without keys every page that is open in a browser of this machine could post forms here. Programs send
    neither of the headers that this goes by, and pass. Looking passes too: others cannot read the answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it unread."""
        # A connection for events carries clicks: it changes things as a form does.
        changes = scope["type"] == "websocket" or (scope["type"] == "http" and scope["method"] not in _LOOKS)
        if not changes or comes_from_here(headers := Headers(scope=scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": "another site"})
        else:
            answer = problem(
                403,
                _DETAIL.format(site=headers.get("Origin", "unnamed")[:200]),
                title="Sent by another site",
                # What was sent is not read, so the connection cannot be used for another request.
                headers={"Connection": "close"},
            )
            await answer(scope, receive, send)


def comes_from_here(headers: Headers) -> bool:
    """Tell whether a page of this service, or no page at all, is behind a request.

    `Sec-Fetch-Site` is the browser's own word, which holds behind proxies too; browsers keep it back where
    the service is reached without TLS over a network, and `Origin` against `Host` decides.

    Examples
    --------
    >>> comes_from_here(Headers({"Host": "127.0.0.1:8080"}))
    True
    >>> comes_from_here(Headers({"Host": "127.0.0.1:8080", "Origin": "http://localhost:3000"}))
    False
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in _OWN
    origin = headers.get("Origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == headers.get("Host", "").lower() != ""
    except ValueError:
        return False
