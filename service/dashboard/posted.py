"""What all forms of pages have in common: who may send one, and where its answer leads."""

from collections.abc import Callable
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from detectors.base import DriftflowError
from service.audit import refuse_on_page
from service.context import Service, service_of
from service.dashboard.frame import caller_of
from service.problems import ProblemError
from service.security import Right


def answer_form(
    request: Request, act: Callable[[Service], str], *, page: str, right: Right, refusal: str, told: str
) -> Response:
    """Do what a form asks, and lead on; who may not, or sent what cannot be, is led back and told why.

    Parameters
    ----------
    act
        Does it, and returns where it leads.
    page
        Where the form stands.
    right
        What a key must allow.
    refusal
        Said where it does not; `{!r}` stands for the name of the key.
    told
        Name in the session under which the page finds the reason.
    """
    service = service_of(request)
    caller = caller_of(service, request)
    if caller is None:
        refuse_on_page(request.scope)
        return RedirectResponse(f"/login?then={quote(page)}", status_code=303)
    reason = refusal.format(caller.name)
    if caller.right >= right:
        try:
            return RedirectResponse(act(service), status_code=303)
        except (ProblemError, DriftflowError) as error:
            reason = str(error)
    refuse_on_page(request.scope)
    request.session[told] = reason
    return RedirectResponse(page, status_code=303)
