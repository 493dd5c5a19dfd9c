"""What somebody has opened on a page, kept while its parts are drawn again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

_opened: ContextVar[dict[str, bool] | None] = ContextVar("opened", default=None)


@contextmanager
def keeping(opened: dict[str, bool]) -> Iterator[None]:
    """Draw with what was opened before; what is opened later is noted in the same place."""
    token = _opened.set(opened)
    try:
        yield
    finally:
        _opened.reset(token)


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
    noted = _opened.get()
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
