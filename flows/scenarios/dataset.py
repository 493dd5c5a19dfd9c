"""Writes a scenario as files: reference, events and the truth about them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from flows.replacing import replaced, replaced_output
from flows.scenarios.base import BLOCK_ROWS, Scenario, ScenarioError, ScenarioOptions
from flows.scenarios.late_labels import label_header, label_lines
from flows.scenarios.lines import (
    csv_header,
    csv_lines,
    csv_reference,
    json_lines,
    json_reference,
    reference_columns,
)
from flows.scenarios.truth_file import build_truth, truth_bytes

Format = Literal["jsonl", "csv"]

_CHUNK_ROWS: Final = 8 * BLOCK_ROWS

_SUFFIXES: Final = (".jsonl", ".csv", ".jsonl.gz", ".csv.gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFiles:
    """Where a data set stands.

    Attributes
    ----------
    events
        One path per part, in order of the parts.
    labels
        Labels that come later than their rows; None: there are none.
    """

    reference: Path
    events: tuple[Path, ...]
    labels: Path | None
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
        Called with the number of rows written since its last call; they sum to at most `written_rows`.

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
    suffix = f".{format}.gz" if compress else f".{format}"
    paths = _paths(folder, suffix, files, labels=scenario.late_labels is not None)
    headers = _headers(scenario) if format == "csv" else _Headers()
    report = on_progress or (lambda _rows: None)
    try:
        _refuse_strangers(folder, paths)
        paths.events[0].parent.mkdir(parents=True, exist_ok=True)
        paths.truth.unlink(missing_ok=True)
        chunks = _chunks(scenario, options, format, reference=True)
        _write((paths.reference,), headers.reference, chunks, report)
        _write(paths.events, headers.events, _chunks(scenario, options, format, reference=False), report)
        if paths.labels is not None:
            _write((paths.labels,), headers.labels, label_lines(scenario, options, format), report)
        truth = build_truth(
            scenario,
            options,
            reference=paths.reference.name,
            events=tuple(path.relative_to(folder).as_posix() for path in paths.events),
            labels=None if paths.labels is None else paths.labels.name,
        )
        with replaced(paths.truth) as raw:
            raw.write(truth_bytes(truth))
    except OSError as error:
        raise ScenarioError(
            f"data set cannot be written to {folder}: {error}; choose another folder"
        ) from error
    return paths


def written_rows(scenario: Scenario, options: ScenarioOptions) -> int:
    """Return how many rows a data set has in all its files; labels that never come count too."""
    return options.reference_rows + options.rows * (1 if scenario.late_labels is None else 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Headers:
    """First lines of the files."""

    reference: bytes | None = None
    events: bytes | None = None
    labels: bytes | None = None


def _headers(scenario: Scenario) -> _Headers:
    late = scenario.late_labels
    return _Headers(
        reference=csv_header(reference_columns(scenario)),
        events=csv_header(scenario.columns),
        labels=None if late is None else label_header(late.column),
    )


def _paths(folder: Path, suffix: str, files: int, *, labels: bool) -> DatasetFiles:
    parts = (folder / "events" / f"part-{part}{suffix}" for part in range(files))
    return DatasetFiles(
        reference=folder / f"reference{suffix}",
        events=(folder / f"events{suffix}",) if files == 1 else tuple(parts),
        labels=folder / f"labels{suffix}" if labels else None,
        truth=folder / "truth.json",
    )


def _refuse_strangers(folder: Path, paths: DatasetFiles) -> None:
    """Refuse a folder where events of another layout would stay beside the new ones."""
    names = ("events", "events/part-*", "reference", "labels")
    found = [path for name in names for suffix in _SUFFIXES for path in folder.glob(name + suffix)]
    strangers = sorted(set(found) - {*paths.events, paths.reference, paths.labels})
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
        outputs = [stack.enter_context(replaced_output(path)) for path in paths]
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
