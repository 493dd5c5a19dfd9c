"""What the service is given by the command line: what can read files and rows, and what bounds requests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

OnProgress = Callable[[float], None]
"""Told the share of the work that is done, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many requests in any span of so many seconds."""

    amount: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The outcome of a comparison.

    Attributes
    ----------
    document
        What ``driftflow compare --json`` prints, as JSON.
    drifted
        Columns in drift, the worst first.
    columns
        How many were compared.
    page
        Draws the outcome as one HTML file.
    """

    document: bytes
    drifted: tuple[str, ...]
    columns: int
    page: Callable[[], str]

    def rows(self) -> list[dict[str, Any]]:
        """Return the columns of the document, in its order."""
        found: list[dict[str, Any]] = orjson.loads(self.document)["columns"]
        return found


class CompareFiles(Protocol):
    """Compares two files."""

    def __call__(self, baseline: Path, current: Path, *, on_progress: OnProgress) -> Compared:
        """Compare all columns that both files have.

        Raises
        ------
        DriftflowError
            A file cannot be read, or there is nothing to compare.
        """
        ...


class CompareRows(Protocol):
    """Compares some rows with the active reference of a model."""

    def __call__(self, model: str, rows: Sequence[Mapping[str, Any]]) -> Compared:
        """Compare rows, each an object as the model writes it into its log.

        Raises
        ------
        DriftflowError
            There is no reference, or no row can be used.
        """
        ...


Span = tuple[int, int]
"""Event time from the first that is wanted to the first that is not, in the unit of the model's axis."""


class CompareSpans(Protocol):
    """Compares two spans of what runs have counted of a model."""

    def __call__(
        self, model: str, version: str, reference: Span, current: Span, *, on_progress: OnProgress
    ) -> Compared:
        """Compare the panes that the store keeps of both spans.

        Raises
        ------
        DriftflowError
            No pane of a span is kept, or none of a column can be compared.
        """
        ...


class BuildReference(Protocol):
    """Builds a reference of a model from a file, and keeps it."""

    def __call__(self, model: str, path: Path, *, on_progress: OnProgress) -> str:
        """Return its version; the first of a model version is activated too.

        Raises
        ------
        DriftflowError
            The file cannot be read, or has nothing to build from.
        """
        ...


class ActivateReference(Protocol):
    """Makes a stored reference the one that windows are compared with."""

    def __call__(self, model: str, version: str, start: str | None) -> str | None:
        """Return from when on it counts, None from the beginning.

        Raises
        ------
        DriftflowError
            There is no such reference, or it cannot take over then.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All of them."""

    compare_files: CompareFiles
    compare_rows: CompareRows
    compare_spans: CompareSpans
    build_reference: BuildReference
    activate: ActivateReference
