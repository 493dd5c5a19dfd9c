"""What is kept of records that did not count: dead letters and late rows as JSON lines."""

from base64 import b64encode
from hashlib import sha256

import orjson

from flows.batch import DeadLetter, LateRow
from flows.decode.base import Reason
from state.durations import Axis
from state.event_data import instant

_DETAILS = {
    Reason.MALFORMED: "the record is not one JSON object",
    Reason.TRUNCATED: "the record ends in the middle",
    Reason.NOT_UTF8: "the record is not UTF-8",
    Reason.TOO_LONG: "the record is longer than input.max_record_bytes",
    Reason.WRONG_TYPE: "a watched field holds a value of another type",
    Reason.WRONG_FIELDS: "the row has more or fewer fields than the header",
    Reason.NO_TIME: "the time field is missing, null or empty",
    Reason.BAD_TIME: "the time field cannot be read as a time",
    Reason.TIME_OUT_OF_RANGE: "the event time is outside its bounds",
}
"""What is said of a record that must not be quoted. A fixed text, because what was found names values."""


def dead_letter_line(letter: DeadLetter, *, redact: bool = False) -> bytes:
    """Write a refused record with its place and reason, and the column that holds another type.

    The record stands under `raw` as text, or under `raw_base64` where it is not UTF-8; redacted, only its
    `length` and `sha256` are written.
    """
    return orjson.dumps(
        {
            "partition": letter.partition,
            "record": letter.number,
            "reason": letter.reason,
            "detail": redacted_detail(letter) if redact else letter.detail,
            **({} if letter.column is None else {"column": letter.column}),
            **(_digest(letter.raw) if redact else _raw(letter.raw)),
        }
    )


def late_row_line(row: LateRow, axis: Axis, *, redact: bool = False) -> bytes:
    """Write a late row with its place and event time; see `dead_letter_line` for the rest."""
    return orjson.dumps(
        {
            "partition": row.partition,
            "record": row.number,
            "time": instant(row.time, axis),
            **(_digest(row.raw) if redact else _raw(row.raw)),
        }
    )


def redacted_detail(letter: DeadLetter) -> str:
    """Say what is wrong with a record without any of its values."""
    return _DETAILS[letter.reason]


def record_digest(raw: bytes) -> str:
    """Return the SHA-256 (FIPS 180-4) of a record in hexadecimal digits."""
    return sha256(raw).hexdigest()


def _digest(raw: bytes) -> dict[str, str | int]:
    return {"length": len(raw), "sha256": record_digest(raw)}


def _raw(raw: bytes) -> dict[str, str | int]:
    try:
        return {"raw": raw.decode()}
    except UnicodeDecodeError:
        return {"raw_base64": b64encode(raw).decode()}
