"""Records of a file as something whose fields can be read and replaced."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any, Protocol

Cell = float | int | str | bool | None
"""A value of a record; None is missing."""


class Record(Protocol):
    """One record; a field is named as in the configuration."""

    def has(self, field: str) -> bool:
        """Whether the field is there."""
        ...

    def get(self, field: str) -> Cell:
        """Return the value of a field that is there."""
        ...

    def number(self, field: str) -> float | None:
        """Return the value of a field that is there as a number; None where it is none."""
        ...

    def set(self, field: str, value: Cell) -> None:
        """Replace the value of a field that is there."""
        ...

    def add(self, field: str, value: Cell) -> bool:
        """Add a field, or replace it; False where the record has no place for it."""
        ...

    def remove(self, field: str) -> None:
        """Take a field away that is there."""
        ...

    def encode(self) -> bytes:
        """Return the record as a line without its end."""
        ...


class JsonRecord:
    """A JSON object; dots in a field's name lead into nested objects."""

    def __init__(self, line: bytes) -> None:
        data = json.loads(line)
        if not isinstance(data, dict):
            raise ValueError("not an object")  # noqa: TRY004  # as the decoder says of other broken lines
        self._data: dict[str, Any] = data

    def has(self, field: str) -> bool:
        """Whether the field is there, and is no object or list."""
        *_, last = field.split(".")
        holder = self._holder(field)
        return holder is not None and last in holder and not isinstance(holder[last], dict | list)

    def get(self, field: str) -> Cell:
        """Return the value of a field that is there."""
        holder, name = self._existing(field)
        value: Cell = holder[name]
        return value

    def number(self, field: str) -> float | None:
        """Return a value that is a number; a truth value is none."""
        value = self.get(field)
        return None if isinstance(value, bool | str | None) else float(value)

    def set(self, field: str, value: Cell) -> None:
        """Replace the value of a field that is there."""
        holder, name = self._existing(field)
        holder[name] = value

    def add(self, field: str, value: Cell) -> bool:
        """Add a field with the objects around it; False where one of those is something else."""
        *outer, last = field.split(".")
        holder: Any = self._data
        for name in outer:
            holder = holder.setdefault(name, {})
            if not isinstance(holder, dict):
                return False
        holder[last] = value
        return True

    def remove(self, field: str) -> None:
        """Take a field away that is there."""
        holder, name = self._existing(field)
        del holder[name]

    def encode(self) -> bytes:
        """Return the record as a line; infinite numbers are written as Python writes them."""
        return json.dumps(self._data, separators=(",", ":"), ensure_ascii=False).encode()

    def _holder(self, field: str) -> dict[str, Cell] | None:
        """Return the object that holds the field; None where it is not there."""
        found: Any = self._data
        for name in field.split(".")[:-1]:
            found = found.get(name)
            if not isinstance(found, dict):
                return None
        holder: dict[str, Cell] = found
        return holder

    def _existing(self, field: str) -> tuple[dict[str, Cell], str]:
        holder = self._holder(field)
        if holder is None:
            raise KeyError(field)
        return holder, field.rsplit(".", 1)[-1]


class CsvRecord:
    """A row of a CSV file; its values are texts."""

    def __init__(self, line: bytes, header: Sequence[str]) -> None:
        (self._cells,) = csv.reader([line.decode()], strict=True)
        if len(self._cells) != len(header):
            raise ValueError(f"{len(self._cells)} cells for {len(header)} fields")
        self._header = header

    def has(self, field: str) -> bool:
        """Whether the field is in the header."""
        return field in self._header

    def get(self, field: str) -> Cell:
        """Return the text of a cell; None of an empty one."""
        return self._cells[self._header.index(field)] or None

    def number(self, field: str) -> float | None:
        """Return the number that a cell holds."""
        try:
            return float(self._cells[self._header.index(field)])
        except ValueError:
            return None

    def set(self, field: str, value: Cell) -> None:
        """Replace the text of a cell."""
        text = "" if value is None else value if isinstance(value, str) else repr(value)
        self._cells[self._header.index(field)] = text

    def add(self, field: str, value: Cell) -> bool:  # noqa: ARG002  # as every record is asked
        """Add nothing: rows have the fields of the header."""
        return False

    def remove(self, field: str) -> None:
        """Empty the cell: a row of a table cannot lack one."""
        self.set(field, None)

    def encode(self) -> bytes:
        """Return the record as a line."""
        return csv_line(self._cells)


def csv_line(cells: Sequence[str]) -> bytes:
    """Write cells as a row without its line end, quoted where they must be."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue().encode()
