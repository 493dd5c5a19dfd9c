"""Tells what became of each request, once its answer has begun or failed."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PROGRAMS = "/v1"
_METRICS = "/metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request and its status.

    Attributes
    ----------
    route
        Path as the documentation has it, with names in braces; None where no route was found.
    seconds
        From the request to the beginning of its answer.
    """

    scope: Scope
    route: str | None
    status: int
    seconds: float = 0.0


class Watch:
    """ASGI middleware that calls a function for each request; an error that nobody has caught is a 500.

    Parameters
    ----------
    clock
        Seconds that never go back.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        on_answer: Callable[[Asked], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._clock = clock
        self._app = app
        self._on_answer = on_answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and tell what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told, start = False, self._clock()

        def tell(status: int) -> None:
            nonlocal told
            if not told:
                told = True
                took = self._clock() - start
                self._on_answer(Asked(scope=scope, route=route_of(scope), status=status, seconds=took))

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                tell(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except BaseException:
            tell(500)
            raise


def of_program(scope: Scope) -> bool:
    """Tell whether a request is one that a program makes with its key, and no page's."""
    path: str = scope["path"]
    return path.startswith(_PROGRAMS) or path == _METRICS


def route_of(scope: Scope) -> str | None:
    """Return the template of the route that a request has come to; None where it has come to none."""
    template: str | None = getattr(scope.get("route"), "path", None)
    if template is None or not scope["path"].startswith(f"{_PROGRAMS}/"):
        return template
    # A router that is included does not know where.
    return template if template.startswith(f"{_PROGRAMS}/") else f"{_PROGRAMS}{template}"
