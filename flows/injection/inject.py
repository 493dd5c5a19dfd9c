"""Copies a file and puts faults into the copy, row by row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from flows.injection.faults import InjectedFault, InjectionError
from flows.injection.placed import Placed
from flows.injection.records import csv_line
from flows.injection.rewriting import Rewriter
from flows.injection.survey import look_at
from flows.injection.truth import InjectionTruth
from flows.replacing import replaced_output

TRUTH_NAME: Final = "injected.json"
"""The truth beside the copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A copy with faults."""

    output: Path
    truth_file: Path
    truth: InjectionTruth


def inject(
    source: Path,
    folder: Path,
    faults: Sequence[InjectedFault],
    *,
    seed: int,
    on_read: Callable[[int], None],
) -> Injected:
    """Write a copy of a CSV or JSON-lines file with faults; the same arguments give the same bytes.

    The file is read twice, and never held in memory. Rows that no fault hits are copied as they are.

    Parameters
    ----------
    folder
        Gets the copy under the name of the file, and the truth; made where it does not exist.
    on_read
        Called with the bytes read since its last call; they sum to twice the size of the file.

    Raises
    ------
    InjectionError
        The copy would replace the file, a field is not in it, or the format cannot have such a fault.
    SourceError
        The file cannot be read.
    """
    target = folder / source.name
    if target.resolve() == source.resolve():
        raise InjectionError(f"{folder} is the folder of {source.name} itself: name another one")
    truth_file = folder / TRUTH_NAME
    survey = look_at(source, faults, on_read)
    placed = [Placed.of(fault, index, seed, survey) for index, fault in enumerate(faults)]
    rewriter = Rewriter(source, survey.header, placed)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Where the truth stands, the copy beside it is whole.
        truth_file.unlink(missing_ok=True)
        with replaced_output(target) as output:
            if survey.header:
                output.write(csv_line(survey.header) + b"\n")
            for line in rewriter.lines(on_read):
                output.write(line + b"\n")
    except OSError as error:
        raise InjectionError(f"{target} cannot be written: {error}; choose another folder") from error
    truth = InjectionTruth(
        input=source.name,
        output=target.name,
        seed=seed,
        rows_read=survey.rows,
        rows_written=rewriter.written,
        unreadable=rewriter.unreadable,
        faults=tuple(fault.truth() for fault in placed),
    )
    truth_file.write_bytes(msgspec.json.format(msgspec.json.encode(truth), indent=2) + b"\n")
    return Injected(output=target, truth_file=truth_file, truth=truth)
