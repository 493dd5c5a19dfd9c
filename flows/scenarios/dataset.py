"""Writes a scenario as files: reference, events and the truth about them."""

import gzip
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

from flows.scenarios.base import BLOCK_ROWS, Scenario, ScenarioError, ScenarioOptions
from flows.scenarios.lines import csv_header, csv_lines, csv_reference, json_lines, json_reference
from flows.scenarios.truth_file import build_truth, truth_bytes

Format = Literal["jsonl", "csv"]

_CHUNK_ROWS: Final = 8 * BLOCK_ROWS

_SUFFIXES: Final = (".jsonl", ".csv", ".jsonl.gz", ".csv.gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFiles:
    """Where a data set stands; `events` has one path per part, in order of the parts."""

    reference: Path
    events: tuple[Path, ...]
    truth: Path


def write_dataset(
    scenario: Scenario,
    options: ScenarioOptions,
    folder: Path,
    *,
    format: Format = "jsonl",  # noqa: A002  # what the file suffix and the users call it
    files: int = 1,
    compress: bool = False,
    on_progress: Callable[[int], None] | None = None,
) -> DatasetFiles:
    """Write a data set; the same arguments give the same bytes.

    Each file appears under its name only when it is complete. `truth.json` goes first and comes last: where
    it stands, the data set is whole.

    Parameters
    ----------
    folder
        Made where it does not exist; files of the same data set are replaced.
    format
        JSON lines, or CSV with a header in each file.
    files
        Parts of the events: 1 is one file ``events``, more are a folder of ``part-0`` and so on, row `i` in
        part ``i % files``.
    compress
        Write reference and events with gzip.
    on_progress
        Called with the number of rows written since its last call; they sum to the rows of reference and
        events.

    Raises
    ------
    ScenarioError
        `files` is less than 1, `format` is unknown, the folder holds events of another layout that a reader
        would take for part of this data set, or it cannot be written.
    """
    if format not in ("jsonl", "csv"):
        raise ScenarioError(f"format is {format!r}, wanted jsonl or csv")
    if files < 1:
        raise ScenarioError(f"files is {files}, wanted at least 1: pass a larger number")
    paths = _paths(folder, f".{format}.gz" if compress else f".{format}", files)
    header = None if format == "jsonl" else csv_header(scenario)
    report = on_progress or (lambda _rows: None)
    try:
        _refuse_strangers(folder, paths)
        paths.events[0].parent.mkdir(parents=True, exist_ok=True)
        paths.truth.unlink(missing_ok=True)
        _write((paths.reference,), header, _chunks(scenario, options, format, reference=True), report)
        _write(paths.events, header, _chunks(scenario, options, format, reference=False), report)
        names = tuple(path.relative_to(folder).as_posix() for path in paths.events)
        truth = build_truth(scenario, options, reference=paths.reference.name, events=names)
        with _replacing(paths.truth) as raw:
            raw.write(truth_bytes(truth))
    except OSError as error:
        raise ScenarioError(
            f"data set cannot be written to {folder}: {error}; choose another folder"
        ) from error
    return paths


def _paths(folder: Path, suffix: str, files: int) -> DatasetFiles:
    parts = (folder / "events" / f"part-{part}{suffix}" for part in range(files))
    return DatasetFiles(
        reference=folder / f"reference{suffix}",
        events=(folder / f"events{suffix}",) if files == 1 else tuple(parts),
        truth=folder / "truth.json",
    )


def _refuse_strangers(folder: Path, paths: DatasetFiles) -> None:
    """Refuse a folder where events of another layout would stay beside the new ones."""
    names = ("events", "events/part-*", "reference")
    found = [path for name in names for suffix in _SUFFIXES for path in folder.glob(name + suffix)]
    strangers = sorted(set(found) - {*paths.events, paths.reference})
    if strangers:
        raise ScenarioError(
            f"{folder} holds {strangers[0].relative_to(folder)} of another data set, wanted a folder "
            "without: choose another folder or remove the old files"
        )


def _chunks(
    scenario: Scenario, options: ScenarioOptions, name: Format, *, reference: bool
) -> Iterator[list[bytes]]:
    """Yield all lines in order, some thousands at a time."""
    if reference:
        rows, lines = options.reference_rows, json_reference if name == "jsonl" else csv_reference
    else:
        rows, lines = options.rows, json_lines if name == "jsonl" else csv_lines
    for start in range(0, rows, _CHUNK_ROWS):
        yield lines(scenario, options, start, min(_CHUNK_ROWS, rows - start))


def _write(
    paths: Sequence[Path],
    header: bytes | None,
    chunks: Iterator[list[bytes]],
    report: Callable[[int], None],
) -> None:
    """Deal lines to files in turn."""
    with ExitStack() as stack:
        outputs = [stack.enter_context(_output(path)) for path in paths]
        if header is not None:
            for output in outputs:
                output.write(header + b"\n")
        row = 0
        for lines in chunks:
            for part, output in enumerate(outputs):
                dealt = lines[(part - row) % len(outputs) :: len(outputs)]
                if dealt:
                    output.write(b"\n".join(dealt) + b"\n")
            row += len(lines)
            report(len(lines))


@contextmanager
def _output(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """Open a file for writing, compressed where its name says so.

    The gzip header has no name and time in it: they would differ from run to run.
    """
    with _replacing(path) as raw:
        if path.suffix != ".gz":
            yield raw
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as packed:
            yield packed


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write beside the path and rename when all went well; nothing stays behind when not."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as raw:
            yield raw
            raw.flush()
            os.fsync(raw.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
