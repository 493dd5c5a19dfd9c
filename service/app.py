"""The application: routes, errors and headers around one service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from service.api import episodes, events, health, models, series
from service.context import Service
from service.headers import add_headers
from service.problems import add_handlers

_ABOUT = """
What driftflow found, for programs. Times are ISO-8601 in UTC, or row numbers where a model has no clock.
Errors are problem+json and say what to do.
"""


def create_app(service: Service) -> FastAPI:
    """Build the application of a service; it closes the service's stores when it ends."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        yield
        service.stores.close()

    app = FastAPI(title="driftflow", version=version("driftflow"), description=_ABOUT, lifespan=life)
    app.state.service = service
    add_handlers(app)
    add_headers(app)
    app.include_router(health.router)
    for part in (models, events, episodes, series):
        app.include_router(part.router, prefix="/v1")
    return app
