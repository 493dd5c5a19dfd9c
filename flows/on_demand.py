"""Comparisons that the service asks for: of two files, of rows with a reference, and of two spans."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from detectors.verdicts import Verdict
from flows.commands.reference_build_job import build_configured, keep, reference_source
from flows.commands.reference_jobs import activated
from flows.commands.stored import active_generations, existing_store
from flows.compare_columns import standards_of
from flows.compare_files import ComparedInput, Comparison, compare_with
from flows.compare_paths import CompareAsked, document_of, prepare
from flows.compare_spans import SpansAsked, compare_spans
from flows.config import Config
from flows.decode.base import Decoder
from flows.decode.factory import make_decoder
from flows.infer import LeftOut
from flows.input import InputSet
from flows.pages.compared import comparison_page
from flows.sources.base import RawBatch, Reader
from flows.sources.formats import FileFormat
from service.ports import Compared, OnProgress, Ports, Span
from state.reference import Reference


def file_ports(configs: Mapping[str, Config]) -> Ports:
    """Return what compares files, and rows with the references of configured models."""

    def compare_files(baseline: Path, current: Path, *, on_progress: OnProgress) -> Compared:
        prepared = prepare(CompareAsked(baseline=baseline, current=current))
        return _outcome(prepared.run(_share_of(prepared.total, on_progress)), prepared.left_out)

    def compare_rows(model: str, rows: Sequence[Mapping[str, Any]]) -> Compared:
        config = configs[model]
        reference = active_generations(config, model).references[-1]
        return _outcome(compare_with_reference(reference, rows, config), ())

    def compare_two_spans(
        model: str, version: str, reference: Span, current: Span, *, on_progress: OnProgress
    ) -> Compared:
        config = configs[model]
        asked = SpansAsked(version=version, reference=reference, current=current)
        with existing_store(config, model) as store:
            return _outcome(*compare_spans(store, config, asked, on_progress=on_progress))

    def build_reference(model: str, path: Path, *, on_progress: OnProgress) -> str:
        config = configs[model]
        source, _timed = reference_source(config, path)
        # It is read twice: for the bins and for the counts.
        tell = _share_of(2 * source.total, on_progress)
        built = build_configured(config, source, on_read=tell)
        keep(config, built, activate=None)
        return built.reference.version

    def activate(model: str, version: str, start: str | None) -> str | None:
        _version, _before, time = activated(configs[model], model, version, start)
        return time

    return Ports(
        compare_files=compare_files,
        compare_rows=compare_rows,
        compare_spans=compare_two_spans,
        build_reference=build_reference,
        activate=activate,
    )


def _share_of(total: int, on_progress: OnProgress) -> Callable[[int], None]:
    """Return what is told how much each batch read, and tells which share of all that is."""
    read = 0

    def on_read(size: int) -> None:
        nonlocal read
        read += size
        on_progress(read / max(total, 1))

    return on_read


def _outcome(found: Comparison, left_out: tuple[LeftOut, ...]) -> Compared:
    return Compared(
        document=msgspec.json.encode(document_of(found, left_out)),
        drifted=tuple(column.column for column in found.columns if column.verdict is Verdict.DRIFT),
        columns=len(found.columns),
        page=lambda: comparison_page(found, left_out),
    )


def compare_with_reference(
    reference: Reference, rows: Sequence[Mapping[str, Any]], config: Config
) -> Comparison:
    """Compare rows with a reference, as one window; they are decoded as records of the model's input are."""
    # The standard library writes any number and text: whether a value can be used is the decoder's to say.
    records = [json.dumps(row).encode() for row in rows]

    def opened(_position: bytes | None) -> tuple[Reader, Decoder]:
        # Without times: the rows are one window, whenever they were.
        decoder = make_decoder(FileFormat.JSONL, config.fields, None, derived=config.derivations)
        return _Rows(records), decoder

    current = InputSet(
        readers={"rows": opened}, total=len(records), unit="rows", names=("rows of the request",)
    )
    made = reference.provenance
    baseline = ComparedInput(files=made.sources, rows=made.rows, refused={})
    standards = standards_of(config.file.detection, config.file.quality, config.columns)
    return compare_with(reference, baseline, current, standards)


class _Rows:
    """A reader of rows in memory; implements `flows.sources.base.Reader`."""

    def __init__(self, records: Sequence[bytes]) -> None:
        self._records = records
        self._next = 0

    def read(self, max_records: int) -> RawBatch | None:
        start, self._next = self._next, min(self._next + max_records, len(self._records))
        if start == self._next:
            return None
        numbers = range(start, self._next)
        return RawBatch(records=self._records[start : self._next], numbers=numbers, size=len(numbers))

    def position(self) -> bytes:
        raise AssertionError("nothing is resumed here")

    def close(self) -> None:
        """Hold nothing that must be released."""
