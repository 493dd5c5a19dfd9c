"""What somebody has opened and zoomed on a page, kept while its parts are drawn again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from nicegui import ui
from nicegui.events import GenericEventArguments, ValueChangeEventArguments


@dataclass(slots=True)
class Kept:
    """What is kept of one part of a page.

    Attributes
    ----------
    opened
        By the name of what can be opened.
    zoomed
        By the name of a chart, from where to where, in percent of its axis.
    """

    opened: dict[str, bool] = field(default_factory=dict)
    zoomed: dict[str, tuple[float, float]] = field(default_factory=dict)


_kept: ContextVar[Kept | None] = ContextVar("kept", default=None)

_SPAN = "(e) => { const zoom = (e.batch ?? [e])[0]; emit([zoom.start, zoom.end]); }"
_ZOOM_S = 0.2
"""How often a page is told of a zoom that goes on."""


@contextmanager
def keeping(kept: Kept) -> Iterator[None]:
    """Draw with what was there before; what is done later is noted in the same place."""
    token = _kept.set(kept)
    try:
        yield
    finally:
        _kept.reset(token)


def keep_zoom(name: str, drawn: ui.echart) -> None:
    """Draw a chart as it was zoomed before, where it can be."""
    kept, zooms = _kept.get(), drawn.options.get("dataZoom", [])
    if kept is None or not zooms:
        return
    if name in kept.zoomed:
        start, end = kept.zoomed[name]
        for each in zooms:
            each.update(start=start, end=end)

    def zoomed(event: GenericEventArguments) -> None:
        start, end = event.args
        # Zooms by values have no percentages.
        if isinstance(start, int | float) and isinstance(end, int | float):
            kept.zoomed[name] = (float(start), float(end))

    drawn.on("chart:datazoom", zoomed, js_handler=_SPAN, throttle=_ZOOM_S)


def expansion(
    text: str,
    *,
    name: str | None = None,
    opened: bool = False,
    fill: Callable[[], None] = lambda: None,
) -> ui.expansion:
    """Add a part that can be opened; it is as it was where it was there before.

    Parameters
    ----------
    name
        What it is kept under, where others have the same text.
    opened
        Whether it begins open.
    fill
        Draws what is in it, each time it is opened: closed it need not be read.
    """
    kept = _kept.get()
    noted = None if kept is None else kept.opened
    key = name or text
    begins = opened if noted is None else noted.get(key, opened)
    part = ui.expansion(text, value=begins)

    def filled() -> None:
        part.clear()
        with part:
            fill()

    def changed(event: ValueChangeEventArguments[bool]) -> None:
        if noted is not None:
            noted[key] = event.value
        if event.value:
            filled()

    part.on_value_change(changed)
    if begins:
        filled()
    return part
