"""What was put into a file, as a file beside it."""

from pathlib import Path
from typing import Final, Literal

import msgspec

from detectors.checks import Family
from flows.injection.faults import InjectionError
from flows.injection.forms import FaultKind

INJECTION_SCHEMA: Final = "driftflow.injection/1"


class InjectedTruth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault and the rows it went into.

    Attributes
    ----------
    family
        What it is a fault of; None: a drift of the field's law.
    input_rows, output_rows
        Half-open range of rows between which it hit, in the file that was read and in the one written.
    changed
        Rows that it hit.
    """

    fault: str
    kind: FaultKind
    family: Family | None
    check: str
    feature: str
    input_rows: tuple[int, int]
    output_rows: tuple[int, int]
    changed: int
    description: str


class InjectionTruth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was read, what was written, and what is wrong with it."""

    schema: Literal["driftflow.injection/1"] = INJECTION_SCHEMA
    input: str
    output: str
    seed: int
    rows_read: int
    rows_written: int
    unreadable: int
    faults: tuple[InjectedTruth, ...]


def read_injection(path: Path) -> InjectionTruth:
    """Read such a file.

    Raises
    ------
    InjectionError
        It cannot be read, or is not of this schema.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=InjectionTruth)
    except (OSError, msgspec.DecodeError) as error:
        raise InjectionError(
            f"{path} is not a file of schema {INJECTION_SCHEMA}: {error}; inject the faults again"
        ) from error
