"""Closed panes as a store keeps them: what windows were made of, for looking back."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPane:
    """One closed pane of one column as a store keeps it; `body` is opaque here (`state.closed_panes` reads).

    `reference` is the version whose bins the counts are in; `start` and `end` are milliseconds since the
    epoch, or row numbers where the stream has no clock.
    """

    model: str
    model_version: str
    feature: str
    start: int
    reference: str
    end: int
    body: bytes


class PaneStore(Protocol):
    """Keeps the last closed panes of every column of a model version."""

    def put_panes(self, panes: Iterable[StoredPane]) -> None:
        """Store panes, all or none; a second one with the same start and reference replaces the first.

        Of each column those with the largest starts stay, as many and as far back as the store was told to
        keep: what is there does not depend on the order in which panes came.

        Raises
        ------
        StoreError
            A field holds what not every store could give back.
        """
        ...

    def panes(
        self,
        model: str,
        model_version: str,
        feature: str,
        *,
        start: int | None = None,
        end: int | None = None,
    ) -> list[StoredPane]:
        """Return panes with ``start <= pane.start < end`` in order of start, then of reference."""
        ...

    def pane_counts(self, model: str, model_version: str) -> dict[str, int]:
        """Return how many panes each column has, sorted by its name; columns without are left out."""
        ...
