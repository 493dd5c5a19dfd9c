"""A message to a channel: what the policy decides, what is kept until it is sent, what channels get."""

from enum import StrEnum
from hashlib import blake2b

import msgspec

from alerts.signals import Signal


class Cause(StrEnum):
    """Why a notice is sent."""

    OPENED = "opened"
    ESCALATED = "escalated"
    """A severity that was not reached before, or nobody has acknowledged it in time."""
    CLOSED = "closed"
    """All-clear: all that its incident had opened has closed."""
    DIGEST = "digest"
    """What the cap of an hour, or quiet hours, held back, in one message."""
    RETRAIN = "retrain"
    """A request to train the model again; `payload` is its CloudEvent."""
    SAMPLE = "sample"
    """`driftflow alert test`."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one channel.

    Attributes
    ----------
    id
        Hash of what it tells and to whom: a repeat carries the same, and receivers may drop it.
    channel
        Name of the channel in the configuration.
    route
        Name of the route that chose it; empty for a request to retrain, and a sample.
    incident
        The same in all notices on the same group of episodes to one channel: systems such as PagerDuty keep
        one incident by it.
    cause
        Why it is sent.
    model, model_version
        Whose model.
    title
        One line for a subject or a notification, without line breaks, at most 120 characters.
    signals
        What it tells, the most severe first.
    omitted
        How many more there are than `signals` shows.
    decided_ms
        When it was decided, milliseconds since the epoch of the wall clock.
    payload
        JSON of a request to retrain; empty for all others.
    """

    id: str
    channel: str
    route: str
    incident: str
    cause: Cause
    model: str
    model_version: str
    title: str
    signals: tuple[Signal, ...]
    omitted: int = 0
    decided_ms: int
    payload: str = ""


def notice_id(*parts: str) -> str:
    """Hash what makes a notice the one it is.

    Examples
    --------
    >>> notice_id("pager", "opened", "e1") == notice_id("pager", "opened", "e1")
    True
    """
    return blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()


def encode_notice(notice: Notice) -> bytes:
    """Write a notice as JSON, to be kept until it is sent."""
    return msgspec.json.encode(notice)


def decode_notice(body: bytes) -> Notice:
    """Read what `encode_notice` wrote.

    Raises
    ------
    msgspec.DecodeError
        It is no notice.
    """
    return msgspec.json.decode(body, type=Notice)
