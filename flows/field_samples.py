"""The fields of a file and what its first records hold in them."""

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from flows.sources.formats import FileFormat, guess_format, list_files
from flows.sources.opening import open_reader

SAMPLE_RECORDS = 5_000
"""Records that are looked at, spread over the files of a folder."""

_BATCH = 1_000

Value = str | int | float | bool
"""What a field holds where it holds something."""


@dataclass(slots=True)
class FieldSample:
    """What the first records hold in one field.

    Attributes
    ----------
    name
        Keys joined by dots, as people call the field.
    path
        The same as decoders want it: dots inside keys are escaped.
    values
        In the order of the records, those that hold one.
    containers
        Records in which a list or an empty object stands there.
    repeated
        A CSV header has it twice.
    """

    name: str
    path: str
    values: list[Value]
    containers: int = 0
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The first records of a file or folder: their fields by name, in order of appearance."""

    format: FileFormat
    records: int
    fields: Mapping[str, FieldSample]


def sample_fields(path: Path, *, records: int = SAMPLE_RECORDS) -> Sample:
    """Look at the first records of a file, or of each file of a folder.

    Records that cannot be read are passed over.

    Raises
    ------
    SourceError
        The path does not exist, holds no data file, or its format cannot be told.
    """
    files = sorted(list_files(path).values())
    fields: dict[str, FieldSample] = {}
    seen = 0
    known = guess_format(files[0])
    for file in files:
        known = guess_format(file)
        reader = open_reader(file, format=known)
        # Fields of a header without any value are there too.
        for name, times in Counter(reader.header).items():
            fields.setdefault(name, FieldSample(name, name, [])).repeated |= times > 1
        left = max(records // len(files), 1)
        try:
            while left > 0 and (batch := reader.read(min(left, _BATCH))) is not None:
                left -= len(batch.records)
                for record in batch.records:
                    seen += _take(record, known, reader.header, fields)
        finally:
            reader.close()
    return Sample(format=known, records=seen, fields=fields)


def _take(record: bytes, known: FileFormat, header: Sequence[str], fields: dict[str, FieldSample]) -> bool:
    """Put the values of a record to their fields; False where it cannot be read."""
    if known is FileFormat.CSV:
        try:
            (row,) = csv.reader([record.decode()], strict=True)
        except (UnicodeDecodeError, csv.Error, ValueError):
            return False
        if len(row) != len(header):
            return False
        for name, text in zip(header, row, strict=True):
            if text:
                fields[name].values.append(text)
        return True
    found = _json(record)
    if not isinstance(found, dict):
        return False
    _flatten(found, (), fields)
    return True


def _json(record: bytes) -> object:
    try:
        return orjson.loads(record)
    except orjson.JSONDecodeError:
        try:
            # NaN and Infinity, which many programs write, are no JSON.
            return json.loads(record)
        except (ValueError, RecursionError):
            return None


def _flatten(found: Mapping[str, object], above: tuple[str, ...], fields: dict[str, FieldSample]) -> None:
    for key, value in found.items():
        keys = (*above, key)
        if isinstance(value, dict) and value:
            _flatten(value, keys, fields)
            continue
        name = ".".join(keys)
        field = fields.setdefault(name, FieldSample(name, ".".join(map(_escaped, keys)), []))
        if isinstance(value, dict | list):
            field.containers += 1
        elif isinstance(value, str | int | float):
            field.values.append(value)


def _escaped(key: str) -> str:
    return key.replace("\\", "\\\\").replace(".", "\\.")
