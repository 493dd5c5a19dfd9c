"""What is kept of records that did not count: dead letters and late rows as JSON lines."""

from base64 import b64encode

import orjson

from flows.batch import DeadLetter, LateRow
from state.durations import Axis
from state.events import instant


def dead_letter_line(letter: DeadLetter) -> bytes:
    """Write a refused record with its place and reason.

    The record stands under `raw` as text, or under `raw_base64` where it is not UTF-8.
    """
    return orjson.dumps(
        {
            "partition": letter.partition,
            "record": letter.number,
            "reason": letter.reason,
            "detail": letter.detail,
            **_raw(letter.raw),
        }
    )


def late_row_line(row: LateRow, axis: Axis) -> bytes:
    """Write a late row with its place and event time."""
    return orjson.dumps(
        {
            "partition": row.partition,
            "record": row.number,
            "time": instant(row.time, axis),
            **_raw(row.raw),
        }
    )


def _raw(raw: bytes) -> dict[str, str]:
    try:
        return {"raw": raw.decode()}
    except UnicodeDecodeError:
        return {"raw_base64": b64encode(raw).decode()}
