"""The protocols of the stores, and the values they keep."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from detectors.base import DriftflowError
from state.stores.alerts import AcknowledgementStore, AlertStore
from state.stores.episodes import EpisodeStore
from state.stores.panes import PaneStore

MAX_TIME = 2**63 - 1
"""Largest time, and the negative of the smallest, that every store can hold."""


class StoreError(DriftflowError):
    """A store cannot do what was asked of it."""


class NotFoundError(StoreError):
    """The store does not hold what was asked for."""


class StoreBusyError(StoreError):
    """Another process holds the store; the same call may succeed later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceInfo:
    """What a list of references shows.

    Attributes
    ----------
    version
        Hash of the content: the same rows and columns give the same version.
    created_ms
        When it was stored, milliseconds since the epoch.
    rows
        Rows it was built from.
    start_ms, end_ms
        Smallest and largest event time of those rows; None where they carry no time.
    source
        Where the rows came from, for people.
    """

    model: str
    version: str
    created_ms: int
    rows: int
    start_ms: int | None
    end_ms: int | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReference:
    """A reference as a store keeps it; `body` is opaque here (`state.reference` reads it)."""

    info: ReferenceInfo
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """From when on the windows of one model version are compared with a reference.

    Attributes
    ----------
    version
        Version of the reference.
    effective_from
        Start of the first pane compared with it, milliseconds since the epoch or a row number; None from the
        beginning.
    """

    version: str
    effective_from: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One drift event as a store keeps it; `body` is its CloudEvents JSON.

    `window` is the name of the window specification, `end` the window's end (milliseconds since the epoch, or
    a row number where the stream has no clock).
    """

    id: str
    type: str
    model: str
    model_version: str
    window: str
    feature: str | None
    episode: str | None
    end: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesKey:
    """Names one series; `segment` is empty for the whole."""

    model: str
    model_version: str
    window: str
    feature: str
    segment: str
    metric: str


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one series at a window's end."""

    key: SeriesKey
    time: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How much a store keeps.

    Attributes
    ----------
    retention
        How far back everything but references is kept, milliseconds or rows of event time; None for ever. A
        series is counted back from its own newest point and panes from the newest of their column; events and
        episodes that are closed from the newest event of their model version. No clock is asked, so an old
        stream can be played again.
    panes
        Panes of each column of a model version that are kept: the last ones.

    Raises
    ------
    StoreError
        A number is too small to mean anything.
    """

    retention: int | None = None
    panes: int = 200

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.retention is not None and self.retention <= 0:
            raise StoreError(f"retention is {self.retention}; it must be 1 or more, or None to keep all")
        if self.panes < 0:
            raise StoreError(f"panes is {self.panes}; it must be 0 or more")

    def cutoff(self, newest: int | None) -> int:
        """Return the time before which nothing is kept, where `newest` is the newest there is."""
        if self.retention is None or newest is None:
            return -MAX_TIME
        return max(newest - self.retention, -MAX_TIME)


KEEP_ALL = Keeping()
"""Keeps everything but panes, of which it keeps the last 200."""


class ReferenceStore(Protocol):
    """Keeps references by model and version, and which one each model version is compared with, and when."""

    def put_reference(self, reference: StoredReference) -> None:
        """Store it; storing the same version again changes nothing."""
        ...

    def reference(self, model: str, version: str) -> StoredReference:
        """Return one version.

        Raises
        ------
        NotFoundError
            There is no such model or version; the message lists the versions there are.
        """
        ...

    def references(self, model: str | None = None) -> list[ReferenceInfo]:
        """Return what is there, oldest first (ties by model, then version)."""
        ...

    def activate(self, model: str, model_version: str, activation: Activation) -> None:
        """Compare a model version with a stored reference from a time on.

        Without a time it replaces all that the model version has. With one it is appended, and what is there
        already changes nothing. A reference that an older store holds as the active one of a whole model
        counts as the first of every model version without activations of its own.

        Raises
        ------
        NotFoundError
            There is no such reference.
        StoreError
            There is none from the beginning yet, or the last one begins as late or later.
        """
        ...

    def activations(self, model: str, model_version: str) -> tuple[Activation, ...]:
        """Return what a model version is compared with, oldest first; () where none was activated."""
        ...

    def activated_versions(self, model: str) -> list[str]:
        """Return the model versions with activations of their own, sorted."""
        ...


class EventStore(Protocol):
    """Keeps drift events; an id that is there already is left as it is, and what is too old is dropped."""

    def add_events(self, events: Iterable[StoredEvent]) -> int:
        """Store events, all or none; return how many were new and are not too old to be kept."""
        ...

    def event(self, model: str, event_id: str) -> StoredEvent:
        """Return one event.

        Raises
        ------
        NotFoundError
            The model has no event of this id.
        """
        ...

    def events(
        self,
        model: str,
        *,
        model_version: str | None = None,
        window: str | None = None,
        feature: str | None = None,
        types: Sequence[str] | None = None,
        start: int | None = None,
        end: int | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        beyond: str | None = None,
    ) -> list[StoredEvent]:
        """Return events with ``start <= event.end < end`` in order of `end`, then of insertion.

        Parameters
        ----------
        newest_first
            The other way round.
        beyond
            Id of an event: only what comes behind it in this order, whether it matches the rest or not.

        Raises
        ------
        NotFoundError
            The model has no event `beyond`.
        """
        ...


class SeriesStore(Protocol):
    """Keeps time series; a second value for the same key and time replaces the first."""

    def add_points(self, points: Iterable[Point]) -> None:
        """Store points, all or none.

        Raises
        ------
        StoreError
            A value is not finite.
        """
        ...

    def series(
        self, key: SeriesKey, *, start: int | None = None, end: int | None = None
    ) -> list[tuple[int, float]]:
        """Return ``(time, value)`` with ``start <= time < end`` in order of time; empty where unknown."""
        ...

    def series_keys(self, model: str) -> list[SeriesKey]:
        """Return the keys of a model's series, sorted."""
        ...


class Store(
    ReferenceStore,
    EventStore,
    SeriesStore,
    PaneStore,
    EpisodeStore,
    AlertStore,
    AcknowledgementStore,
    Protocol,
):
    """All of them, as the embedded default and Redis offer them."""

    def close(self) -> None:
        """Release the store; called once."""
        ...
