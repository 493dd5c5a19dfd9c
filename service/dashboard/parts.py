"""What pages are put together from: headings, tables, charts, and parts that follow the store."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Generic, TypeVar

from anyio.to_thread import run_sync
from nicegui import ui
from nicegui.events import GenericEventArguments

from detectors.base import DriftflowError
from service.dashboard.ink import Options, themed
from service.dashboard.kept import Kept, expansion, keep_zoom, keeping
from service.problems import ProblemError
from service.tables import csv_text
from state.stores.base import StoreError

LOOK_AGAIN_S = 2.0
"""How often a page looks whether the store has news."""

_WORDS = frozenset({"high", "medium", "low", "suspect", "violated", "ok", "closed", "open"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """A button in a table: what stands on it, what screen readers say, and which row it is of."""

    text: str
    label: str
    subject: str


Cell = str | tuple[str, str] | Deed
"""Text, text and where it leads, or a button."""

Do = Callable[[str], Awaitable[None]]
"""Does what a button says, for the subject of its row."""

_PRESSED = "(e) => { const b = e.target.closest('button[data-subject]'); if (b) emit(b.dataset.subject); }"

Found = TypeVar("Found")


def heading(level: int, text: str) -> None:
    """Write a heading."""
    ui.html(escape(text), tag=f"h{level}", sanitize=False)


def banner(text: str, level: str) -> None:
    """Say what matters most; screen readers tell it when it changes."""
    with ui.element("div").classes(f"banner {level}").props('role="status"'):
        ui.label(text)


def quiet(text: str) -> None:
    """Write a remark."""
    ui.label(text).classes("quiet")


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """List names with their values."""
    inner = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    ui.html(f'<dl class="facts">{inner}</dl>', sanitize=False).classes("box")


def table_html(caption: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Write a table as HTML; every text is escaped, severities and verdicts are marked.

    Examples
    --------
    >>> table_html("all", ["a"], [["<b>"]]).count("&lt;b&gt;")
    1
    """
    top = "".join(
        f'<th scope="col"><button class="sort" type="button">{escape(name)}</button></th>' for name in head
    )
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return f'<table aria-label="{escape(caption)}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Cell]], *, do: Do | None = None) -> None:
    """Show a table; `do` is called when one of its buttons is pressed."""
    shown = ui.html(table_html(caption, head, rows), sanitize=False).classes("table")
    if do is not None:

        async def pressed(event: GenericEventArguments) -> None:
            await do(str(event.args))

        shown.on("click", pressed, js_handler=_PRESSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What a chart shows, as a table."""

    head: Sequence[str]
    rows: Sequence[Sequence[object]]


def chart(
    title: str,
    options: Options,
    values: Callable[[], Values],
    *,
    told: str,
    height: int = 250,
    name: str | None = None,
) -> ui.echart:
    """Show a chart with its values as a table and as CSV, which are sent when they are asked for.

    Parameters
    ----------
    told
        What it shows, in a sentence.
    name
        What it is kept under where its title changes with what it shows.
    """
    with ui.element("section").classes("box") as section:
        section.props["aria-label"] = title
        heading(3, title)
        sentence = ui.label(told).classes("quiet told")
        drawn = ui.echart(themed(options)).classes("chart").style(f"height: {height}px")
        keep_zoom(name or title, drawn)
        drawn.props["role"] = "img"
        drawn.props["aria-label"] = f"Chart: {title}; its values stand in the table below."
        drawn.props["aria-describedby"] = sentence.html_id
        with ui.row().classes("items-center"):
            ui.button("Save values", on_click=lambda: _save(title, values())).props("flat dense no-caps")

        def fill() -> None:
            found = values()
            table(title, found.head, [[str(value) for value in row] for row in found.rows])

        expansion("Values as a table", name=name or title, fill=fill).props("dense")
    return drawn


class Live(Generic[Found]):
    """A part of a page that is drawn again when there is news, without a reload, and stays open and zoomed.

    Parameters
    ----------
    stamp
        Reads what changes with every news, cheaply.
    load
        Reads what is drawn; both run outside of the event loop.
    draw
        Draws it into an empty place.
    every_s
        How often it looks.
    """

    def __init__(
        self,
        stamp: Callable[[], object],
        load: Callable[[], Found],
        draw: Callable[[Found], None],
        *,
        every_s: float = LOOK_AGAIN_S,
    ) -> None:
        self._stamp, self._load, self._draw = stamp, load, draw
        self._seen: object = None
        self._kept = Kept()
        self._place = ui.column().classes("w-full items-stretch")
        with self._place:
            ui.label("Loading …").classes("quiet")
        ui.timer(every_s, self.look, immediate=True)

    async def look(self) -> None:
        """Draw where there is news."""
        try:
            stamp = await run_sync(self._stamp)
            if stamp == self._seen:
                return
            found = await run_sync(self._load)
        except (ProblemError, DriftflowError, StoreError) as error:
            stamp, text = ("error", str(error)), str(error)
            if stamp != self._seen:
                self._show(lambda: banner(f"{text} Looking again every {LOOK_AGAIN_S:.0f} s.", "high"))
        else:
            self._show(lambda: self._draw(found))
        self._seen = stamp

    async def again(self) -> None:
        """Draw, news or not: what is asked for has changed."""
        self._seen = None
        # A part of what was shown is no part of what is asked for now.
        self._kept.zoomed.clear()
        await self.look()

    def _show(self, draw: Callable[[], None]) -> None:
        self._place.clear()
        with self._place, keeping(self._kept):
            draw()


def _save(title: str, found: Values) -> None:
    name = "".join(c if c.isalnum() else "_" for c in title)
    ui.download.content(csv_text(found.head, found.rows), f"{name}.csv", "text/csv")


def _cell(cell: Cell) -> str:
    if isinstance(cell, Deed):
        label, subject = escape(cell.label), escape(cell.subject)
        return (
            f'<td><button class="deed" type="button" aria-label="{label}" data-subject="{subject}">'
            f"{escape(cell.text)}</button></td>"
        )
    text, link = cell if isinstance(cell, tuple) else (cell, "")
    inner = escape(text)
    if text in _WORDS:
        inner = f'<span class="tag {text}">{inner}</span>'
    if link:
        inner = f'<a href="{escape(link)}">{inner}</a>'
    return f"<td>{inner}</td>"
