"""Tables that stay readable on narrow terminals: columns that matter less leave first."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from rich.cells import cell_len, set_cell_size
from rich.text import Text

_GAP = 2
_MARGIN = 1
_NOTE_INDENT = 4
_LEAST_NOTE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a table.

    Attributes
    ----------
    right
        Set flush right, as numbers are.
    leaves
        Where the terminal is too narrow, the columns with the largest number leave first; 0 stays.
    least
        Width down to which cells may be cut before columns leave; None: never cut.
    """

    title: str
    right: bool = False
    leaves: int = 0
    least: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A text and the style it is shown in."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row, and what is to be said below it."""

    cells: tuple[Cell | str, ...]
    note: str = ""


def grid(fields: Sequence[Field], rows: Sequence[Row], width: int) -> Text:
    """Lay out a table of at most `width` cells, one line per row and as many as its note needs.

    Parameters
    ----------
    rows
        Each with one cell per field.
    """
    table = [[_cell(cell) for cell in row.cells] for row in rows]
    shown = list(range(len(fields)))
    while True:
        widths = {i: max([cell_len(fields[i].title), *(cell_len(r[i].text) for r in table)]) for i in shown}
        excess = _MARGIN + sum(widths.values()) + _GAP * (len(shown) - 1) - width
        for i in sorted(shown, key=lambda place: -widths[place]):
            least = fields[i].least
            if excess > 0 and least is not None:
                cut = min(excess, max(widths[i] - least, 0))
                widths[i], excess = widths[i] - cut, excess - cut
        droppable = [i for i in shown if fields[i].leaves]
        if excess <= 0 or not droppable:
            break
        shown.remove(max(droppable, key=lambda place: fields[place].leaves))
    lines = [_line([Cell(fields[i].title, "bold") for i in shown], shown, fields, widths)]
    lines.append(
        Text(" " * _MARGIN + "─" * min(sum(widths.values()) + _GAP * (len(shown) - 1), width - 1), "dim")
    )
    for row, cells in zip(rows, table, strict=True):
        lines.append(_line([cells[i] for i in shown], shown, fields, widths))
        lines += note_lines(row.note, width)
    return Text("\n").join(lines)


def note_lines(note: str, width: int, *, indent: int = _NOTE_INDENT, style: str = "dim") -> list[Text]:
    """Break a note into indented lines of at most `width` cells."""
    room = max(width - indent, _LEAST_NOTE)
    return [Text(" " * indent + line, style) for line in wrap(note, room)]


def _cell(cell: Cell | str) -> Cell:
    return Cell(cell) if isinstance(cell, str) else cell


def _line(
    cells: Sequence[Cell], shown: Sequence[int], fields: Sequence[Field], widths: dict[int, int]
) -> Text:
    line = Text(" " * _MARGIN)
    for place, (i, cell) in enumerate(zip(shown, cells, strict=True)):
        text = _cut(cell.text, widths[i])
        blank = " " * (widths[i] - cell_len(text))
        if fields[i].right:
            line.append(blank)
        line.append(text, cell.style or None)
        # Nothing behind the last text of a line: a terminal that is resized would wrap it.
        if place < len(shown) - 1:
            line.append(" " * _GAP if fields[i].right else blank + " " * _GAP)
    line.rstrip()
    return line


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, max(width - 1, 0)) + "…"
