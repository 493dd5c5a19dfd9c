"""What alerting keeps: its progress, notices that wait or were sent, and who has seen an episode."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Delivery(StrEnum):
    """What has become of a notice."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    """Given up: the last attempt failed, or the other side will never take it."""
    FOLDED = "folded"
    """Told by a digest in its place; the reason is the digest's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredNotice:
    """One notice as a store keeps it; `body` is opaque here (`alerts.notices` reads it).

    Attributes
    ----------
    id
        Unique within the model.
    decided_ms
        When it was decided, milliseconds since the epoch.
    delivery, attempts
        What has become of it, and how often it was tried.
    next_ms
        Not tried again before, milliseconds since the epoch; 0 at once.
    settled_ms
        When it was sent or given up; None while it waits.
    reason
        What the last failed attempt said; empty where none failed.
    """

    id: str
    model: str
    channel: str
    decided_ms: int
    body: bytes
    delivery: Delivery = Delivery.WAITING
    attempts: int = 0
    next_ms: int = 0
    settled_ms: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Somebody has seen an episode; `at_ms` by the wall clock, `by` names the person or the API key."""

    model: str
    episode: str
    by: str
    at_ms: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far alerting of a model has come.

    Attributes
    ----------
    revision
        Counts commits, from 0 before the first.
    body
        Opaque here: where reading goes on, open incidents, what waits to be grouped. Versioned bytes.
    """

    revision: int
    body: bytes


class AlertStore(Protocol):
    """Keeps what alerting of a model needs to go on after a crash."""

    def claim_alerts(self, model: str, *, owner: str, now_ms: int, until_ms: int) -> bool:
        """Take or renew the right to send alerts of a model; return whether `owner` has it.

        It is another's until that one's `until_ms` has passed `now_ms`.
        """
        ...

    def release_alerts(self, model: str, *, owner: str) -> None:
        """Give the right back; what is another's stays."""
        ...

    def alert_progress(self, model: str) -> Progress | None:
        """Return how far it has come; None before the first commit."""
        ...

    def commit_alerts(self, model: str, progress: Progress, notices: Sequence[StoredNotice]) -> None:
        """Store progress and the notices that were decided on the way, all or none.

        A notice whose id is there is left as it is.

        Raises
        ------
        StoreError
            `progress.revision` is not one more than what is stored: another process has committed.
        """
        ...

    def settle_notice(self, notice: StoredNotice) -> None:
        """Replace delivery, attempts, next_ms, settled_ms and reason of a notice that is there.

        Raises
        ------
        NotFoundError
            It is not there.
        """
        ...

    def notices(
        self,
        model: str,
        *,
        delivery: Delivery | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[StoredNotice]:
        """Return notices in order of `decided_ms`, then of insertion, or the other way round."""
        ...

    def drop_notices(self, model: str, *, before_ms: int) -> int:
        """Delete notices that were decided and settled before; return how many.

        What waits stays, its id too. Both times count: where a clock is set back one may be settled before it
        was decided.
        """
        ...


class AcknowledgementStore(Protocol):
    """Keeps who has seen which episode."""

    def acknowledge(self, acknowledgement: Acknowledgement) -> bool:
        """Store it; return whether it is the first of its episode. The first one stays."""
        ...

    def acknowledgements(self, model: str, episodes: Sequence[str] | None = None) -> list[Acknowledgement]:
        """Return those of some episodes, or all, by time, then by episode."""
        ...
