"""Decodes CSV records into columns."""

import csv
import difflib
import math
from collections.abc import Sequence
from itertools import chain

import msgspec
import numpy as np

from detectors.base import FloatArray, Kind
from flows.decode.assemble import MICRO_BATCH, Draft, finish, new_draft
from flows.decode.base import Decoded, Finding, Reason, Refusal
from flows.decode.event_time import time_zone
from flows.decode.setup import DecodeSetupError, check_names, first_repeated
from state.columns import Column, TimeColumn

_SHOWN = 50

_NULL = "null"

_decode_array = msgspec.json.Decoder(list[float | None]).decode

_Row = list[str]


class CsvDecoder:
    """Decodes one CSV row per record; implements `flows.decode.base.Decoder`.

    Fields are divided by commas and quoted by double quotes (RFC 4180). A quoted field is followed by a comma
    or the end; a quote inside an unquoted field is a plain character. A numeric field is what Python's
    `float` reads, except underscores between digits; texts of NaN and infinity are plus infinity.

    Parameters
    ----------
    columns
        What to read; a path is the name of a field in the header, as it stands there.
    time
        The field with the event time; None where there is none.
    header
        Field names of the file.
    missing
        Texts that mean a missing value.

    Raises
    ------
    DecodeSetupError
        Two columns have one name, the header lacks a field or holds it twice, or there is no such time zone.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        time: TimeColumn | None,
        header: Sequence[str],
        missing: Sequence[str] = ("",),
    ) -> None:
        check_names(columns)
        if time is not None:
            time_zone(time)
        self._header = tuple(header)
        self._width = len(header)
        self._time = time
        self._time_field = None if time is None else _field(header, time.path, "the time field")
        self._missing = frozenset(missing)
        self._missing_number = any(_number(text) is not None for text in missing)
        numeric = [column for column in columns if column.kind is Kind.NUMERIC]
        texts = [column for column in columns if column.kind is Kind.CATEGORICAL]
        self._numeric = {column.name: place for place, column in enumerate(numeric)}
        self._texts = {column.name: place for place, column in enumerate(texts)}
        self._numeric_fields = [_field(header, c.path, f"column {c.name!r}") for c in numeric]
        self._text_fields = [_field(header, c.path, f"column {c.name!r}") for c in texts]

    def decode(self, records: Sequence[bytes]) -> Decoded:
        """Decode one batch of any size."""
        draft = new_draft(numeric=len(self._numeric), categorical=len(self._texts), records=len(records))
        for start in range(0, len(records), MICRO_BATCH):
            batch = records[start : start + MICRO_BATCH]
            rows = self._rows(batch, start, draft)
            if rows:
                self._fill(rows, draft)
        return finish(draft, numeric=self._numeric, categorical=self._texts, time=self._time)

    def fields(self, record: bytes) -> tuple[str, ...]:  # noqa: ARG002  # all have those of the header
        """Name all fields of a good record."""
        return self._header

    def _rows(self, records: Sequence[bytes], start: int, draft: Draft) -> list[_Row]:
        try:
            texts = [record.decode() for record in records]
            rows = list(csv.reader(texts, strict=True))
        except (UnicodeDecodeError, csv.Error):
            rows = []
        # Fewer rows than records: a quote that does not close has swallowed what follows.
        if len(rows) == len(records) and set(map(len, rows)) == {self._width}:
            draft.kept.extend(range(start, start + len(rows)))
            return rows
        return self._good_rows(records, start, draft)

    def _good_rows(self, records: Sequence[bytes], start: int, draft: Draft) -> list[_Row]:
        """Read one by one, and refuse what is wrong."""
        rows: list[_Row] = []
        for index, record in enumerate(records, start):
            row = _read_row(record, self._width)
            if isinstance(row, list):
                rows.append(row)
                draft.kept.append(index)
            else:
                draft.refused.append(Refusal(index, *row))
        return rows

    def _fill(self, rows: Sequence[_Row], draft: Draft) -> None:
        """Append the rows' values to the draft."""
        columns = list(zip(*rows, strict=True))
        end = len(draft.kept)
        first = end - len(rows)
        block = draft.matrix[:, first:end]
        numeric = [columns[field] for field in self._numeric_fields]
        texts = list(chain.from_iterable(numeric))
        if self._missing_number or not _fill_at_once(texts, block, missing=0):
            for name, column, values in zip(self._numeric, numeric, block, strict=True):
                self._fill_column(name, column, values, first, draft)
        for field, kept in zip(self._text_fields, draft.texts, strict=True):
            kept.extend([None if text in self._missing else text for text in columns[field]])
        if self._time_field is not None:
            draft.times.extend(None if text in self._missing else text for text in columns[self._time_field])

    def _fill_column(
        self, name: str, texts: Sequence[str], values: FloatArray, first: int, draft: Draft
    ) -> None:
        """Read one column, at once where all that is not missing is a plain number."""
        missing = [text in self._missing for text in texts]
        words = [_NULL if absent else text for absent, text in zip(missing, texts, strict=True)]
        if _fill_at_once(words, values, missing=sum(missing)):
            return
        for place, text in enumerate(texts):
            number = math.nan if text in self._missing else _number(text)
            if number is None:
                detail = f"column {name!r}: {_shown(text)} is not a number"
                draft.wrong.setdefault(first + place, Finding(Reason.WRONG_TYPE, detail, name))
                number = math.nan
            values[place] = number


def _fill_at_once(texts: Sequence[str], block: FloatArray, *, missing: int) -> bool:
    """Read numbers and so many nulls into `block`; False where a text is anything else.

    They are read as one JSON array, in a third of the time that `float` takes. JSON has fewer ways to write a
    number than `float` has, and both round correctly. A text with a comma inside would make the array longer,
    and an empty one makes it invalid, so an array of the right length has one number for each text.
    """
    try:
        numbers = _decode_array(f"[{','.join(texts)}]")
    except (msgspec.DecodeError, UnicodeEncodeError):
        return False
    if len(numbers) != len(texts):
        return False
    # Adding zero takes the sign off a zero, so that -0 is the same number here and in `_number`.
    np.add(np.array(numbers, dtype=np.float64).reshape(block.shape), 0.0, out=block)
    # More of them than that: a field holds the text null, which is not a number.
    return int(np.isnan(block).sum()) == missing


def _number(text: str) -> float | None:
    if "_" in text:
        return None
    try:
        number = float(text) + 0.0
    except ValueError:
        return None
    return number if math.isfinite(number) else math.inf


def _read_row(record: bytes, width: int) -> _Row | Finding:
    try:
        (row,) = csv.reader([record.decode()], strict=True)
    except UnicodeDecodeError as error:
        cut = error.reason == "unexpected end of data"
        return Finding(Reason.TRUNCATED if cut else Reason.NOT_UTF8, f"{error.reason} at byte {error.start}")
    except csv.Error as error:
        cut = str(error) == "unexpected end of data"
        return (
            Finding(Reason.TRUNCATED, "a quote does not close")
            if cut
            else Finding(Reason.MALFORMED, str(error))
        )
    if len(row) != width:
        return Finding(Reason.WRONG_FIELDS, f"expected {width} fields, found {len(row)}")
    return row


def _field(header: Sequence[str], path: str, what: str) -> int:
    """Return where a field stands in the header."""
    if path in header:
        if path == first_repeated(name for name in header if name == path):
            raise DecodeSetupError(f"{what}: the header holds the field {path!r} twice; rename one")
        return list(header).index(path)
    close = difflib.get_close_matches(path, header, n=1, cutoff=0.0)
    hint = f"; the closest is {close[0]!r}" if close else ""
    raise DecodeSetupError(
        f"{what}: the header has no field {path!r}{hint}; its fields are {', '.join(map(repr, header))}"
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
