"""Tells from the first records of a file which fields can be watched, and as what."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from detectors.base import Kind
from flows.decode.setup import parse_path
from flows.field_samples import FieldSample, Sample, Value

NEARLY_ALL = 0.9
"""A text whose values differ in this share of the records names the record, it does not describe it."""

ENOUGH = 20
"""Values from which something can be told from how many are distinct."""

A_TIME = "a time"
"""Why times are left out."""

IDENTIFIES = ("an identifier", "a running number", "nearly every record has another text")
"""Why fields that name the record are left out."""

NUMBER_WORDS = ("NaN", "nan", "null", "NULL", "NA", "N/A")
"""What programs write into number columns of CSV files where nothing stands."""

_TIMES = 0.99
_TIME_NAME = re.compile(r"(^|[_.\-])(ts|time|timestamp|date|datetime|day|at|created|updated)$", re.IGNORECASE)
_ID_NAME = re.compile(r"(^|[_.\-])(id|uuid|guid|key|index)$", re.IGNORECASE)
# Years 2000 to 2100 in seconds since the epoch.
_EPOCH = (946_684_800, 4_102_444_800)
_SCALES = (1, 1_000, 1_000_000)
_UNWRITABLE = re.compile(r'["\x00-\x1f\ud800-\udfff]')


@dataclass(frozen=True, slots=True, kw_only=True)
class InferredColumn:
    """A field that can be watched, and where it stands in each of the samples."""

    name: str
    kind: Kind
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A field that is not watched, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inferred:
    """What was told from samples.

    Attributes
    ----------
    missing
        Texts that mean a missing value in CSV files.
    """

    columns: tuple[InferredColumn, ...]
    left_out: tuple[LeftOut, ...]
    missing: tuple[str, ...]


def infer_columns(samples: Sequence[Sample]) -> Inferred:
    """Choose the fields that all samples have and that can be watched, with the kind that suits all.

    Parameters
    ----------
    samples
        At least one; bins will be chosen from the first.
    """
    names = [name for name in samples[0].fields if all(name in sample.fields for sample in samples)]
    columns: list[InferredColumn] = []
    left_out: list[LeftOut] = []
    words: set[str] = set()
    for name in names:
        fields = [sample.fields[name] for sample in samples]
        texts = [not sample.format.typed for sample in samples]
        read = [read_numbers(f.values) if text else f.values for f, text in zip(fields, texts, strict=True)]
        if any(text and _is_number_column(v) for text, v in zip(texts, read, strict=True)):
            words |= {v for f in fields for v in f.values if isinstance(v, str) and v in NUMBER_WORDS}
        reason = _why_not(name, fields, read, samples)
        if reason is not None:
            left_out.append(LeftOut(name=name, reason=reason))
            continue
        kind = Kind.NUMERIC if all(map(_is_number_column, read)) else Kind.CATEGORICAL
        columns.append(InferredColumn(name=name, kind=kind, paths=tuple(field.path for field in fields)))
    return Inferred(
        columns=tuple(_shortened(columns, samples)),
        left_out=tuple(left_out),
        missing=("", *sorted(words)),
    )


def _shortened(columns: Sequence[InferredColumn], samples: Sequence[Sample]) -> list[InferredColumn]:
    """Call nested fields by their last key where that names one field alone."""
    keys = {
        column.name: max(
            (parse_path(p) for p, s in zip(column.paths, samples, strict=True) if s.format.typed),
            key=len,
            default=(column.name,),
        )
        for column in columns
    }
    known = Counter(last for found in keys.values() for last in {found[-1]})
    return [
        replace(column, name=keys[column.name][-1])
        if len(keys[column.name]) > 1 and known[keys[column.name][-1]] == 1
        else column
        for column in columns
    ]


def read_numbers(texts: Iterable[Value]) -> list[Value]:
    """Read the texts of a CSV field as numbers where all of them are, those that mean nothing aside."""
    kept = [text for text in texts if text not in NUMBER_WORDS]
    numbers: list[Value] = []
    for text in kept:
        number = _number(str(text))
        if number is None:
            return list(texts)
        numbers.append(number)
    return numbers or list(texts)


def _number(text: str) -> int | float | None:
    if "_" in text:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


def _is_number_column(values: Sequence[Value]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _why_not(
    name: str, fields: Sequence[FieldSample], read: Sequence[Sequence[Value]], samples: Sequence[Sample]
) -> str | None:
    """Say why a field is not watched; None where it is."""
    unreadable = _why_unreadable(name, fields, samples)
    if unreadable is not None:
        return unreadable
    if not read[0]:
        return "holds no value" if not any(read) else "holds no value in the baseline"
    if all(map(_is_number_column, read)):
        return _why_not_number(name, [[v for v in part if isinstance(v, int | float)] for part in read])
    return _why_not_text(read)


def _why_unreadable(name: str, fields: Sequence[FieldSample], samples: Sequence[Sample]) -> str | None:
    json = [sample.format.typed for sample in samples]
    if any(field.repeated for field in fields):
        return "the header has it twice"
    if any(nested and not _writable(field.path) for field, nested in zip(fields, json, strict=True)):
        return "its name cannot be written as a path"
    if any(_leads_on(name, sample) for sample in samples):
        return "holds an object in some records and a value in others"
    return "holds lists or empty objects" if any(field.containers for field in fields) else None


def _writable(path: str) -> bool:
    # Decoders match neither backslashes nor quotes in keys; a backslash in a key is doubled in its path.
    return not (_UNWRITABLE.search(path) or "\\\\" in path or "" in path.split("."))


def _leads_on(name: str, sample: Sample) -> bool:
    if not sample.format.typed:
        return False
    path = sample.fields[name].path
    return any(other.path.startswith(f"{path}.") for other in sample.fields.values())


def _why_not_number(name: str, parts: Sequence[Sequence[float]]) -> str | None:
    values = [value for part in parts for value in part]
    rising = all(b >= a for part in parts for a, b in pairwise(part))
    if (rising or _TIME_NAME.search(name)) and len(values) > 1 and _are_epochs(values):
        return A_TIME
    if len(values) < ENOUGH or not all(isinstance(value, int) for value in values):
        return None
    if not all(len(set(part)) == len(part) for part in parts):
        return None
    if rising:
        return IDENTIFIES[1]
    return IDENTIFIES[0] if _ID_NAME.search(name) else None


def _why_not_text(parts: Sequence[Sequence[Value]]) -> str | None:
    values = [value for part in parts for value in part]
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len(values) and sum(map(_is_time, texts)) >= _TIMES * len(texts):
        return A_TIME
    # Side by side: two files with the same records hold every value twice.
    if len(values) >= ENOUGH and all(len(set(part)) >= NEARLY_ALL * len(part) for part in parts):
        return IDENTIFIES[2]
    return None


def _are_epochs(values: Sequence[float]) -> bool:
    return epoch_scale(values) is not None


def epoch_scale(values: Sequence[float]) -> int | None:
    """Return how many units of numbers make a second, where all are from 2000 to 2100; None: not all are."""
    low, high = min(values), max(values)
    fits = (scale for scale in _SCALES if _EPOCH[0] * scale <= low and high <= _EPOCH[1] * scale)
    return next(fits, None)


def _is_time(text: str) -> bool:
    if "-" not in text and ":" not in text:
        return False
    try:
        datetime.fromisoformat(text.strip())
    except ValueError:
        return False
    return True
