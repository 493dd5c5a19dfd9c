"""What the policy remembers between signals, and the bytes it is kept in."""

import msgspec

from alerts.signals import Signal
from detectors.verdicts import Severity
from state.codec import fingerprint_of, pack, unpack

KIND, VERSION = "alert-policy", 1


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """An episode that was seen: its highest severity, and whether it has closed."""

    severity: Severity | None
    closed: bool = False


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A signal that waits for the digest of a channel.

    Attributes
    ----------
    due_ms
        Not before, milliseconds since the epoch; 0: as soon as there is room.
    why
        What holds it back: `quiet`, `cap` or `cooldown`.
    """

    signal: Signal
    route: str
    due_ms: int
    why: str


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Signals of one route that share messages.

    Attributes
    ----------
    incident
        The same in all notices from the first opening to the all-clear; empty between incidents.
    waiting, due_ms
        What has opened and is to be told together, by episode, and when.
    open, closed
        What was told, by episode: still open, and closed since. All-clear is when none is open.
    told_ms, peak
        When an opening was told last, -1 never; the highest severity of the incident.
    escalate_ms
        When others are told if nobody acknowledges; -1: no more.
    escalated
        Whether they were.
    """

    route: str
    incident: str = ""
    waiting: dict[str, Signal] = {}
    due_ms: int = 0
    open: dict[str, Signal] = {}
    closed: dict[str, Signal] = {}
    told_ms: int = -1
    peak: Severity | None = None
    escalate_ms: int = -1
    escalated: bool = False


class PolicyState(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes
    ----------
    now_ms
        The latest time it was asked at: a clock that is set back does not make it forget.
    known
        Episodes by id, the oldest first.
    groups
        By their key.
    held
        By channel, then by episode.
    sent
        By channel: when messages of the last hour were decided.
    """

    now_ms: int = 0
    known: dict[str, Known] = {}
    groups: dict[str, Group] = {}
    held: dict[str, dict[str, Held]] = {}
    sent: dict[str, tuple[int, ...]] = {}


def state_bytes(state: PolicyState) -> bytes:
    """Write a state."""
    return pack(KIND, VERSION, fingerprint_of([]), msgspec.json.encode(state))


def state_of(data: bytes) -> PolicyState:
    """Read what `state_bytes` wrote.

    Raises
    ------
    CodecError
        It is damaged, or of another version.
    """
    return msgspec.json.decode(
        unpack(data, kind=KIND, versions=(VERSION,), fingerprint=None).payload, type=PolicyState
    )
