"""Decodes JSON records into columns."""

from collections.abc import Sequence
from itertools import chain

import msgspec
import numpy as np

from flows.decode.assemble import MICRO_BATCH, Draft, finish, new_draft
from flows.decode.base import Decoded, Refusal
from flows.decode.event_time import time_zone
from flows.decode.json_fields import field_paths
from flows.decode.json_reread import reread
from flows.decode.json_schema import build_schema
from state.columns import Column, TimeColumn


class JsonDecoder:
    """Decodes one JSON object per record; implements `flows.decode.base.Decoder`.

    Only the watched fields are looked at: what stands in others is passed over and may even be invalid
    UTF-8. Of a key that stands twice the last one counts. A missing field, null, and a missing or null
    object on the way to it all mean a missing value.

    Numbers in categorical fields become text as JSON writes them (3, 2.5), booleans ``true`` and ``false``;
    a NaN literal there is a missing value, because that is how data frames write a missing text.

    Parameters
    ----------
    columns
        What to read. Dots in a path lead into nested objects; a backslash before a dot makes it part of the
        key. Two columns may read one path. Paths that end in whole numbers, such as ``scores.0``, read an
        array too, whose elements are then all numbers or all texts, null among them.
    time
        The field with the event time; None where there is none.

    Raises
    ------
    DecodeSetupError
        Two columns have one name, a path is the beginning of another, or there is no such time zone.
    """

    def __init__(self, columns: Sequence[Column], time: TimeColumn | None) -> None:
        if time is not None:
            time_zone(time)
        self._time = time
        self._schema = build_schema(columns, time)
        self._decode = msgspec.json.Decoder(self._schema.root.row_type).decode
        first_text = self._schema.numeric_paths
        self._texts = sorted(set(self._schema.categorical.values()))
        places = {path: place for place, path in enumerate(self._texts)}
        self._places = {name: places[path] for name, path in self._schema.categorical.items()}
        self._numbers = range(first_text)

    def decode(self, records: Sequence[bytes]) -> Decoded:
        """Decode one batch of any size."""
        draft = new_draft(numeric=len(self._numbers), categorical=len(self._texts), records=len(records))
        for start in range(0, len(records), MICRO_BATCH):
            rows = self._rows(records[start : start + MICRO_BATCH], start, draft)
            if rows:
                self._fill(rows, draft)
        return finish(draft, numeric=self._schema.numeric, categorical=self._places, time=self._time)

    def fields(self, record: bytes) -> tuple[str, ...]:
        """Name all fields of a good record."""
        return field_paths(record)

    def _rows(self, records: Sequence[bytes], start: int, draft: Draft) -> list[msgspec.Struct]:
        decode = self._decode
        rows: list[msgspec.Struct] = []
        for index, record in enumerate(records, start):
            try:
                row = decode(record)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                found = reread(record, self._schema)
                if not isinstance(found, msgspec.Struct):
                    draft.refused.append(Refusal(index, *found))
                    continue
                row = found
            rows.append(row)
            draft.kept.append(index)
        return rows

    def _fill(self, rows: Sequence[msgspec.Struct], draft: Draft) -> None:
        """Append the rows' values to the draft."""
        columns: list[tuple[object, ...]] = [()] * self._schema.paths
        self._schema.root.transpose(rows, columns)
        end = len(draft.kept)
        block = draft.matrix[:, end - len(rows) : end]
        numeric = columns[: len(self._numbers)]
        try:
            # One conversion for all columns; None becomes NaN.
            flat = np.fromiter(chain.from_iterable(numeric), np.float64, len(numeric) * len(rows))
            block[:] = flat.reshape(block.shape)
        except OverflowError:
            block[:] = [[_float(value) for value in column] for column in numeric]
        for texts, path in zip(draft.texts, self._texts, strict=True):
            texts.extend(_texts(columns[path]))
        if self._schema.time is not None:
            draft.times.extend(columns[self._schema.time])


def _float(value: object) -> float:
    """Return a number as a float; a whole number beyond all floats is infinite."""
    try:
        return float("nan") if value is None else float(value)  # type: ignore[arg-type]  # numbers by type
    except OverflowError:
        return float("inf")


def _texts(values: Sequence[object]) -> Sequence[str | None]:
    if set(map(type, values)) <= {str, type(None)}:
        return values  # type: ignore[return-value]  # just checked
    return list(map(_text, values))


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    # Only NaN differs from itself.
    return repr(value) if value == value else None  # noqa: PLR0124  see above
