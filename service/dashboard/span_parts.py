"""Two spans of a model's past, picked on a page."""

from html import escape
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from nicegui import ui

from service.context import Service
from service.dashboard.parts import heading, quiet
from service.dashboard.posted import answer_form
from service.security import Right
from service.spans import compare_past
from state.durations import Axis

router = APIRouter(include_in_schema=False)

PAGE = "/compare"

TOLD = "told_of_comparison"
"""Holds in the session why nothing was compared, until a page has said it."""

READ_ONLY = "The key {!r} may only read; comparing needs write."

_SPANS = (("reference", "Good data"), ("current", "To judge"))

_Text = Annotated[str, Form(max_length=100)]


@router.post("/compare/spans")
def start(
    request: Request,
    *,
    model: _Text,
    reference_from: _Text,
    reference_to: _Text,
    current_from: _Text,
    current_to: _Text,
) -> Response:
    """Take two spans, and go to the page of their comparison."""
    reference, current = (reference_from, reference_to), (current_from, current_to)

    def compared(service: Service) -> str:
        found = service.model(model)
        job = compare_past(service, request.scope, found, found.version, reference=reference, current=current)
        return f"{PAGE}/{job.id}"

    return answer_form(request, compared, page=PAGE, right=Right.WRITE, refusal=READ_ONLY, told=TOLD)


def spans_form(service: Service) -> None:
    """Ask for a model and two spans of event time."""
    heading(2, "Compare two spans of a model's past")
    quiet(
        "From what runs have counted; times are in the model's zone, and the second one of a span is the "
        "first that is not wanted."
    )
    ui.html(form_text(service), sanitize=False).classes("box")


def form_text(service: Service) -> str:
    """Write the form; browsers have a picker for times, and none for row numbers."""
    models = service.models.values()
    kind = "text" if any(model.axis is Axis.ROWS for model in models) else "datetime-local"
    options = "".join(f'<option value="{escape(name)}">{escape(name)}</option>' for name in service.models)
    inputs = "".join(
        f'<label>{said} {end}<input type="{kind}" name="{name}_{end}" required></label>'
        for name, said in _SPANS
        for end in ("from", "to")
    )
    return (
        '<form method="post" action="/compare/spans" class="files">'
        f'<label>Model<select name="model">{options}</select></label>{inputs}'
        "<button>Compare spans</button></form>"
    )
