"""Whether the service lives, and whether it can answer."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from service.api.common import Served, may
from service.metrics import ServiceMetrics
from service.problems import RESPONSES, answers
from service.security import Right
from state.stores.base import StoreError

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def health() -> dict[str, str]:
    """Say that the process answers; needs no key."""
    return {"status": "ok"}


@router.get(
    "/readyz", responses={503: {"description": "The store of a model is away.", "model": dict[str, str]}}
)
def ready(service: Served, response: Response) -> dict[str, str]:
    """Say for each model whether its store answers; needs no key. 503 where one does not."""
    found = {}
    for model in service.models.values():
        try:
            with service.store(model) as store:
                store.references(model.name)
            found[model.name] = "ok"
        except StoreError:
            # Why is in the log and in /v1, for those who may know.
            found[model.name] = "store away"
    if "store away" in found.values():
        response.status_code = 503
    return found


async def _metrics(request: Request) -> ServiceMetrics:
    found: ServiceMetrics = request.app.state.metrics
    return found


@router.get(
    "/metrics",
    dependencies=[Depends(may(Right.READ))],
    response_class=Response,
    responses={**RESPONSES, **answers("text/plain")},
)
def metrics(found: Annotated[ServiceMetrics, Depends(_metrics)]) -> Response:
    """Give what Prometheus wants to know of the service; needs a key, unlike health: it names the models."""
    return Response(found.exposed(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
