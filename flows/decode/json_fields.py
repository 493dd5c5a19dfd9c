"""Names all fields of a JSON record, those that nobody watches too."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice

import msgspec

from state.sketches.records import array_name

MOST_FIELDS = 1_000
"""Fields of a record that are named; the rest of a larger one is passed over."""

MOST_LEVELS = 8
"""Objects within objects that are looked into; a deeper one is named as a field."""

_decode = msgspec.json.Decoder(dict[str, object]).decode


def field_paths(record: bytes) -> tuple[str, ...]:
    r"""Return the paths of a good record's fields in its own order, as a configuration writes them.

    Objects are looked into, arrays are not and end in brackets; an empty object is a field itself.

    Examples
    --------
    >>> field_paths(b'{"id": 1, "features": {"tenure": 2, "a.b": null}, "tags": [{}]}')
    ('id', 'features.tenure', 'features.a\\.b', 'tags[]')
    """
    fields: Mapping[str, object]
    try:
        fields = _decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # NaN and Infinity literals, and texts in fields that nobody watches, may be all that is wrong.
        fields = _reread(record)
    return tuple(islice(_paths(fields, "", MOST_LEVELS), MOST_FIELDS))


def _reread(record: bytes) -> Mapping[str, object]:
    try:
        read = json.loads(record.decode(errors="replace"))
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _paths(fields: Mapping[str, object], before: str, levels: int) -> Iterator[str]:
    for key, value in fields.items():
        path = before + key.replace("\\", "\\\\").replace(".", "\\.")
        if isinstance(value, dict) and value and levels > 1:
            yield from _paths(value, f"{path}.", levels - 1)
        else:
            yield array_name(path) if isinstance(value, list) else path
