"""What the monitor's own alerts look at: one look at the workers, the source of events, and the store."""

from typing import Protocol

import msgspec


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker says of itself.

    Attributes
    ----------
    address
        Where it was asked.
    error
        Why it gave no answer; empty where it did. The rest is then without meaning.
    watermarks
        By partition: event time up to which it is read, in milliseconds since the epoch.
    lags
        By partition: records from the position to the end.
    rows, refused
        Rows counted, and records refused, since the worker began.
    epoch_age_s
        Seconds since its last epoch ended.
    """

    address: str
    error: str = ""
    watermarks: dict[str, int] = msgspec.field(default_factory=dict)
    lags: dict[str, int] = msgspec.field(default_factory=dict)
    rows: int = 0
    refused: int = 0
    epoch_age_s: float = 0.0


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look at everything.

    Attributes
    ----------
    at_ms
        When, milliseconds since the epoch of the wall clock.
    workers
        Those that are configured; empty where none is.
    heard_ms
        When an event of the model, or a report, was read last, by the wall clock; None: none so far.
    store_error
        Why the store gave no answer; empty where it did.
    """

    at_ms: int
    workers: tuple[Worker, ...] = ()
    heard_ms: int | None = None
    store_error: str = ""


class Vitals(Protocol):
    """Takes looks; bounded in time, and never raises for what is away."""

    def workers(self) -> tuple[Worker, ...]:
        """Ask all workers."""
        ...
