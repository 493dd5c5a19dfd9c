"""Starts the comparison of two spans of a model's past."""

from starlette.types import Scope

from service.api.common import moment
from service.audit import job_audit
from service.comparing import PLACE
from service.context import Service
from service.jobs import Job
from service.models import WatchedModel
from service.ports import Compared, Span
from service.problems import ProblemError


def compare_past(
    service: Service,
    scope: Scope,
    model: WatchedModel,
    version: str,
    *,
    reference: tuple[str, str],
    current: tuple[str, str],
) -> Job[Compared]:
    """Compare the panes that the store keeps of both spans.

    Parameters
    ----------
    reference, current
        First that is wanted and first that is not, as people write them.

    Raises
    ------
    ProblemError
        A span is none, they overlap, or nothing is compared here.
    JobsFullError
        Too many comparisons wait.
    """
    good, judged = _span(reference, model, "reference"), _span(current, model, "current")
    if max(good[0], judged[0]) < min(good[1], judged[1]):
        raise ProblemError(422, "reference, current: found spans that overlap, wanted two apart.")
    compare = service.needed_ports.compare_spans
    return service.comparisons.start(
        lambda tell: compare(model.name, version, good, judged, on_progress=tell),
        lambda: None,
        job_audit(scope, service.keys, service.audit, what="comparison of spans", place=PLACE),
    )


def _span(asked: tuple[str, str], model: WatchedModel, name: str) -> Span:
    start, end = (
        moment(text, model, f"{name}.{key}") for key, text in zip(("from", "to"), asked, strict=True)
    )
    assert start is not None
    assert end is not None
    if start >= end:
        raise ProblemError(422, f"{name}: found a span that ends before it has begun, wanted from < to.")
    return start, end
