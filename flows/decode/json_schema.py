"""Turns configured paths into a typed structure that msgspec decodes, and its rows into columns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Flag, auto
from types import GenericAlias
from typing import Any

import msgspec
from msgspec.structs import astuple

from detectors.base import Kind
from flows.decode.setup import DecodeSetupError, check_names, parse_path
from state.columns import Column, TimeColumn


class Use(Flag):
    """What the value at one path is read as."""

    NUMERIC = auto()
    CATEGORICAL = auto()
    TIME = auto()


_Path = tuple[str, ...]

_PLACE = re.compile("0|[1-9][0-9]{0,8}")
"""A key that may also be the place of an element."""

_NOWHERE: list[object] = []
"""Of none of the types below."""

# Where one path serves two uses, the value must suit both. A whole number stays one where its text matters.
_TYPES: dict[Use, object] = {
    Use.NUMERIC: float | None,
    Use.CATEGORICAL: str | int | float | bool | None,
    Use.TIME: int | float | str | None,
    Use.NUMERIC | Use.CATEGORICAL: int | float | None,
    Use.NUMERIC | Use.TIME: int | float | None,
    Use.CATEGORICAL | Use.TIME: int | float | str | None,
    Use.NUMERIC | Use.CATEGORICAL | Use.TIME: int | float | None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One object of the structure.

    Attributes
    ----------
    row_type
        Its fields are the leaves, then the children.
    leaves
        Number of the path behind each of the first fields.
    children
        The objects behind the other fields.
    empty
        Stands for an object that is missing or null.
    positions
        Places of the leaves where the object may also be an array; None where it may not.
    """

    row_type: type[msgspec.Struct]
    leaves: tuple[int, ...]
    children: tuple["Level", ...]
    empty: msgspec.Struct
    positions: tuple[int, ...] | None

    def transpose(self, rows: Sequence[msgspec.Struct], columns: list[tuple[object, ...]]) -> None:
        """Put the values of at least one row into `columns`, by the number of their path."""
        table = tuple(zip(*map(astuple, rows), strict=True))
        for leaf, column in zip(self.leaves, table, strict=False):
            columns[leaf] = column
        for child, column in zip(self.children, table[len(self.leaves) :], strict=True):
            if child.positions is None:
                child.transpose([child.empty if value is None else value for value in column], columns)
            else:
                child.transpose([child.settled(value) for value in column], columns)

    def settled(self, value: object) -> msgspec.Struct:
        """Return an object of this level for what stands there: an object, an array, or nothing."""
        if isinstance(value, msgspec.Struct):
            return value
        if self.positions is None or not isinstance(value, list):
            return self.empty
        return self.row_type(*[value[place] if place < len(value) else None for place in self.positions])

    def leaf_values(self, row: msgspec.Struct) -> list[tuple[msgspec.Struct, str, int, object]]:
        """Return what each path holds in one row: the object, the field's name there, the path, the value."""
        fields = self.row_type.__struct_fields__
        found = [
            (row, field, leaf, getattr(row, field)) for leaf, field in zip(self.leaves, fields, strict=False)
        ]
        for child, field in zip(self.children, fields[len(self.leaves) :], strict=True):
            value = getattr(row, field)
            if value is not None:
                setattr(row, field, child.settled(value))
                found += child.leaf_values(getattr(row, field))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The structure for a set of columns.

    Attributes
    ----------
    root
        The record.
    paths
        Number of paths; the numeric ones come first.
    numeric, categorical
        Number of the path of each column, by name.
    numeric_paths
        How many paths are read as numbers.
    time
        Number of the time field's path.
    columns
        Name, path and type of each column, in the order given.
    """

    root: Level
    paths: int
    numeric_paths: int
    numeric: dict[str, int]
    categorical: dict[str, int]
    time: int | None
    columns: tuple[tuple[str, _Path, object], ...]

    def wrong_column(self, record: dict[str, object]) -> str | None:
        """Return the first column that a decoded record holds under another type.

        None where that is no column: the time, or an element of an array that nobody reads.
        """
        for name, path, wanted in self.columns:
            try:
                msgspec.convert(_at(record, path), wanted)
            except msgspec.ValidationError:
                return name
        return None


def build_schema(columns: Sequence[Column], time: TimeColumn | None) -> Schema:
    """Build the structure.

    Raises
    ------
    DecodeSetupError
        Two columns have one name, a path is the beginning of another, or a key cannot be matched.
    """
    check_names(columns)
    paths = {column.name: parse_path(column.path) for column in columns}
    uses: dict[_Path, Use] = {}
    for column in columns:
        use = Use.NUMERIC if column.kind is Kind.NUMERIC else Use.CATEGORICAL
        uses[paths[column.name]] = uses.get(paths[column.name], use) | use
    if time is not None:
        path = parse_path(time.path)
        uses[path] = uses.get(path, Use.TIME) | Use.TIME
    _check_prefixes(uses)
    order = sorted(uses, key=lambda path: Use.NUMERIC not in uses[path])
    numbers = {path: number for number, path in enumerate(order)}
    return Schema(
        root=_level(uses, numbers, depth=0),
        paths=len(order),
        numeric_paths=sum(Use.NUMERIC in use for use in uses.values()),
        numeric={c.name: numbers[paths[c.name]] for c in columns if c.kind is Kind.NUMERIC},
        categorical={c.name: numbers[paths[c.name]] for c in columns if c.kind is Kind.CATEGORICAL},
        time=None if time is None else numbers[parse_path(time.path)],
        columns=tuple((c.name, paths[c.name], _TYPES[uses[paths[c.name]]]) for c in columns),
    )


def _at(record: object, path: _Path) -> object:
    """Return what stands at a path, None where nothing does; what leads nowhere fits no type."""
    for key in path:
        if record is None:
            return None
        if isinstance(record, dict):
            record = record.get(key)
        elif isinstance(record, list) and _PLACE.fullmatch(key):
            record = record[int(key)] if int(key) < len(record) else None
        else:
            return _NOWHERE
    return record


def _check_prefixes(uses: dict[_Path, Use]) -> None:
    for path in uses:
        for length in range(1, len(path)):
            if path[:length] in uses:
                raise DecodeSetupError(
                    f"the path {'.'.join(path)!r} leads into {'.'.join(path[:length])!r}, which is a column "
                    r"itself; a field holds a value or an object, not both. Write \. for a dot inside a key"
                )


def _level(uses: dict[_Path, Use], numbers: dict[_Path, int], depth: int) -> Level:
    """Build the object whose paths are given; they agree in their first `depth` keys."""
    inner: dict[str, dict[_Path, Use]] = {}
    fields: list[tuple[str, Any, None]] = []
    rename: dict[str, str] = {}
    leaves = [path for path in numbers if path in uses and len(path) == depth + 1]
    for path in leaves:
        rename[f"f{numbers[path]}"] = path[depth]
        fields.append((f"f{numbers[path]}", _TYPES[uses[path]], None))
    for path, use in uses.items():
        if len(path) > depth + 1:
            inner.setdefault(path[depth], {})[path] = use
    children = []
    for place, (key, within) in enumerate(inner.items()):
        child = _level(within, numbers, depth + 1)
        children.append(child)
        rename[f"o{place}"] = key
        array = None if child.positions is None else _array(within)
        fields.append((f"o{place}", child.row_type | array | None, None))
    try:
        row_type = msgspec.defstruct("Record", fields, rename=rename, gc=False)
    except ValueError as error:
        raise DecodeSetupError(
            f"one of the keys {sorted(rename.values())} cannot be matched: a key must be without double "
            "quotes, backslashes, control characters and lone surrogates"
        ) from error
    return Level(
        row_type=row_type,
        leaves=tuple(numbers[path] for path in leaves),
        children=tuple(children),
        empty=row_type(),
        positions=tuple(int(path[depth]) for path in leaves) if _may_be_array(uses, depth) else None,
    )


def _may_be_array(uses: dict[_Path, Use], depth: int) -> bool:
    """Tell whether all paths end in places of an array; its elements are of one type, so read as one."""
    placed = all(len(path) == depth + 1 and _PLACE.fullmatch(path[depth]) for path in uses)
    return depth > 0 and placed and len(set(uses.values())) == 1


def _array(uses: dict[_Path, Use]) -> GenericAlias:
    (use,) = set(uses.values())
    return GenericAlias(list, (_TYPES[use],))
