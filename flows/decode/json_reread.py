"""Reads once more a JSON record that the fast decoder refused, and says what is wrong with it."""

import json
import math
import re

import msgspec

from flows.decode.base import Finding, Reason
from flows.decode.json_schema import Schema

_LITERALS = ("true", "false", "null", "NaN", "Infinity", "-Infinity")

_BEGUN = re.compile(r"\s*|-|\.|[eE][+-]?|\\?(u[0-9a-fA-F]{0,4})?")
"""What stands at the error where a record is cut inside a number or an escape, or between two values."""

_NAMES = {list: "array", str: "text", bool: "boolean", int: "number", float: "number", type(None): "null"}

_FLOAT_DIGITS = 309
"""A whole number with fewer digits is within the range of floats."""


def reread(record: bytes, schema: Schema) -> msgspec.Struct | Finding:
    """Read by the standard library, whose grammar is wider, with the same types.

    NaN and Infinity literals, which Python's own `json.dumps` writes, and numbers beyond the range of floats
    are accepted; in numeric fields they become plus infinity. A value of the wrong type is forgiven where the
    same key stands again with a good one, because the last one counts.

    Returns
    -------
    row
        Of the schema's type; or the finding for a refusal.
    """
    try:
        text = record.decode()
    except UnicodeDecodeError as error:
        cut = error.reason == "unexpected end of data"
        return Finding(Reason.TRUNCATED if cut else Reason.NOT_UTF8, f"{error.reason} at byte {error.start}")
    try:
        value = json.loads(text, parse_int=_whole)
    except json.JSONDecodeError as error:
        return Finding(Reason.TRUNCATED if _is_cut(error) else Reason.MALFORMED, str(error))
    except RecursionError:
        return Finding(Reason.MALFORMED, "objects or arrays are nested too deeply")
    if not isinstance(value, dict):
        return Finding(Reason.MALFORMED, f"expected one object, found {_NAMES[type(value)]}")
    try:
        row = msgspec.convert(value, schema.root.row_type)
    except msgspec.ValidationError as error:
        return Finding(Reason.WRONG_TYPE, str(error), schema.wrong_column(value))
    return _settled(row, schema)


def _settled(row: msgspec.Struct, schema: Schema) -> msgspec.Struct | Finding:
    """Make numbers that are not finite plus infinity, and refuse texts that UTF-8 cannot hold."""
    for holder, field, path, value in schema.root.leaf_values(row):
        if isinstance(value, float) and path < schema.numeric_paths and not math.isfinite(value):
            setattr(holder, field, math.inf)
        elif isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                return Finding(Reason.MALFORMED, "half of a surrogate pair stands alone in a text")
    return row


def _whole(digits: str) -> int | float:
    # Python reads no whole number of more than 4,300 digits, and converts none beyond all floats.
    if len(digits) < _FLOAT_DIGITS:
        return int(digits)
    number = float(digits)
    return int(digits) if math.isfinite(number) else number


def _is_cut(error: json.JSONDecodeError) -> bool:
    """Tell whether the record ends in the middle."""
    if error.msg.startswith("Unterminated string"):
        return True
    if error.msg == "Extra data":
        return False
    rest = error.doc[error.pos :]
    if _BEGUN.fullmatch(rest) is not None:
        return True
    return any(literal.startswith(rest) for literal in _LITERALS)
