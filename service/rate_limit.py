"""How often one caller may ask: requests are counted by key, or by address where there is none."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.callers import address, key_name
from service.ports import Rate
from service.posts import START_WORK
from service.problems import problem
from service.security import Keyring
from service.watching import Asked, of_program

REQUESTS, UPLOADS = "requests", "uploads"
"""What is counted: all requests of programs; those that are dear, and guesses of a key."""

_DEAR = (*START_WORK, "/login")
"""A guess of a key counts as work."""

_TOLD = RateLimitItemPerSecond(1, 60, namespace="told")

_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


class Standing(NamedTuple):
    """Where a caller stands with one rate, after a request was counted."""

    name: str
    rate: Rate
    left: int
    reset_s: int
    """Until one more is allowed than now."""
    over: bool


class Limiter:
    """Counts requests in the memory of this process.

    Parameters
    ----------
    clock
        Seconds since the epoch, as the library's storage reads them.
    """

    def __init__(self, rates: Mapping[str, Rate], clock: Callable[[], float] = time.time) -> None:
        self._rates = rates
        self._items = {
            name: RateLimitItemPerSecond(rate.amount, rate.seconds, namespace=name)
            for name, rate in rates.items()
        }
        # A window that moves: one with fixed borders lets twice as much pass around a border.
        self._counter = MovingWindowRateLimiter(MemoryStorage())
        self._clock = clock

    def take(self, caller: str, names: Iterable[str]) -> list[Standing]:
        """Count one request under each name, up to the first that is used up."""
        found = list[Standing]()
        for name in names:
            item = self._items.get(name)
            if item is None:
                continue
            taken = self._counter.hit(item, caller)
            reset, left = self._counter.get_window_stats(item, caller)
            reset_s = max(math.ceil(reset - self._clock()), 1)
            found.append(Standing(name, self._rates[name], max(left, 0), reset_s, over=not taken))
            if not taken:
                break
        return found

    def is_news(self, caller: str) -> bool:
        """Tell whether a refusal of a caller is the first of a minute, for the log."""
        return self._counter.hit(_TOLD, caller)


class RateLimit:
    """ASGI middleware that answers 429 to who asks too often, and tells everybody else what is left.

    Parameters
    ----------
    on_limited
        Told of each refusal, by what was counted.
    on_refused
        Told of a refusal once a minute of each caller: a flood of requests shall be none of what is written.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limiter: Limiter,
        keys: Keyring,
        on_limited: Callable[[str], None] = lambda _name: None,
        on_refused: Callable[[Asked], None] = lambda _asked: None,
    ) -> None:
        self._app = app
        self._on_limited = on_limited
        self._on_refused = on_refused
        self._limiter = limiter
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        names = _counted(scope)
        if not names:
            await self._app(scope, receive, send)
            return
        caller = _who(scope, self._keys)
        standings = self._limiter.take(caller, names)
        told = _headers(standings)
        if standings and standings[-1].over:
            over = standings[-1]
            self._on_limited(over.name)
            if self._limiter.is_news(caller):
                self._on_refused(Asked(scope=scope, route=None, status=429))
            detail = (
                f"More than {over.rate.amount:,} {over.name} in {over.rate.seconds:,} s; "
                f"ask again in {over.reset_s:,} s."
            )
            headers = {**told, "Retry-After": str(over.reset_s)}
            if scope["method"] not in _WITHOUT_BODY:
                # What was sent is not read, so the connection cannot be used for another request.
                headers["Connection"] = "close"
            await problem(429, detail, headers=headers)(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        await self._app(scope, receive, headed)


def _counted(scope: Scope) -> tuple[str, ...]:
    """Return what a request counts as; nothing for pages and health."""
    if scope["type"] != "http":
        return ()
    path: str = scope["path"].rstrip("/")
    dear = (UPLOADS,) if scope["method"] == "POST" and path.endswith(_DEAR) else ()
    return (REQUESTS, *dear) if of_program(scope) else dear


def _who(scope: Scope, keys: Keyring) -> str:
    """Name the caller: a key that nobody has counts for the address, or guessing would be free."""
    name = key_name(scope, keys)
    return f"address:{address(scope)}" if name is None else f"key:{name}"


def _headers(standings: Iterable[Standing]) -> dict[str, str]:
    """Tell the rates and what is left, as draft-ietf-httpapi-ratelimit-headers-10 writes it."""
    kept = list(standings)
    if not kept:
        return {}
    policy = ", ".join(f'"{each.name}";q={each.rate.amount};w={each.rate.seconds}' for each in kept)
    left = ", ".join(f'"{each.name}";r={each.left};t={each.reset_s}' for each in kept)
    return {"RateLimit-Policy": policy, "RateLimit": left}
