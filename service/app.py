"""The application: routes, errors and headers around one service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from service.api import comparisons, episodes, events, health, models, references, series, stream, windows
from service.audit import request_audit
from service.body_limit import BodyLimit
from service.context import Service
from service.headers import Headers
from service.jobs import Jobs
from service.metrics import ServiceMetrics
from service.own_site import OwnSite
from service.posts import TAKE_FILES
from service.problems import add_handlers
from service.rate_limit import Limiter, RateLimit
from service.watching import Watch

MOST_BODY = 1 << 25
"""Bytes of a request that sends no file."""

_ABOUT = """
What driftflow found, for programs. Times are ISO-8601 in UTC, or row numbers where a model has no clock.
Errors are problem+json and say what to do.
"""


def create_app(service: Service, *, pages: bool = False) -> FastAPI:
    """Build the application of a service; it closes the service's stores when it ends.

    Parameters
    ----------
    pages
        Also show pages for people; of one process only one application can.
    """

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPIOffline(
        # One page of routes is enough; what it loads comes from here, for a service may have no network.
        redoc_url=None,
        title="driftflow",
        version=version("driftflow"),
        description=_ABOUT,
        lifespan=life,
    )
    app.state.service = service
    app.state.metrics = metrics = _metrics(service)
    _surround(app, service, metrics)
    app.include_router(health.router)
    for part in (models, windows, stream, events, episodes, series, references, comparisons):
        app.include_router(part.router, prefix="/v1")
    if pages:
        # Loaded here: pages bring a library of their own.
        from service.dashboard.mount import mount_dashboard, open_pages  # noqa: PLC0415

        mount_dashboard(app, service)
        metrics.watch_pages(open_pages)
    return app


def _surround(app: FastAPI, service: Service, metrics: ServiceMetrics) -> None:
    """Put around the routes what concerns them all, from the inside to the outside."""
    app.add_middleware(
        BodyLimit,
        most=MOST_BODY,
        # Two files, and the lines between them.
        uploads=2 * service.upload_limits.file_bytes + MOST_BODY,
        endings=TAKE_FILES,
    )
    # Around the limit of bodies: what is refused is not read.
    app.add_middleware(OwnSite)
    on_answer = request_audit(service.keys, service.audit)
    app.add_middleware(Watch, on_answer=on_answer)
    if service.rates:
        app.add_middleware(
            RateLimit,
            limiter=Limiter(service.rates),
            keys=service.keys,
            on_limited=metrics.limited,
            on_refused=on_answer,
        )
    add_handlers(app)
    app.add_middleware(Headers)
    # Around all that answers.
    app.add_middleware(Watch, on_answer=metrics.answered)


def _metrics(service: Service) -> ServiceMetrics:
    jobs: dict[str, Jobs[Any]] = {"comparison": service.comparisons, "build": service.builds}
    return ServiceMetrics(service.stores, service.models, jobs)
