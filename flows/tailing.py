"""Follows drift events as they come, each id once."""

from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import msgspec

from flows.event_sources import EventSource
from state.events import EventType

MOST_IDS = 100_000
"""Ids that are remembered; a repetition that comes later than that many events is printed again."""

_LINE_END = b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class TailedEvent:
    """One drift event; `body` is the CloudEvent as it was written, on one line."""

    id: str
    type: EventType
    body: bytes


class SeenIds:
    """The latest ids, in bounded memory."""

    def __init__(self, most: int = MOST_IDS) -> None:
        self._most = most
        self._order = deque[str]()
        self._known = set[str]()

    def add(self, identity: str) -> bool:
        """Remember an id; return whether it is new."""
        if identity in self._known:
            return False
        if len(self._order) >= self._most:
            self._known.discard(self._order.popleft())
        self._order.append(identity)
        self._known.add(identity)
        return True


def follow(
    source: EventSource,
    *,
    model: str,
    last: int | None = None,
    types: Collection[EventType] = frozenset(EventType),
    forever: bool = True,
    wait: Callable[[], None],
    on_foreign: Callable[[], None] = lambda: None,
) -> Iterator[TailedEvent]:
    """Give the events of a model, each id once.

    Parameters
    ----------
    last
        Of what is there at the start only so many; None: all.
    types
        Types of events that are wanted.
    forever
        Go on when all that was there has been read.
    wait
        Called where nothing has come.
    on_foreign
        Called for each record that is not an event of driftflow.
    """
    seen = SeenIds()
    held = deque[TailedEvent](maxlen=last)
    behind = True
    while True:
        bodies = source.read()
        for body in bodies:
            found = _event(body)
            if found is None:
                on_foreign()
            elif found[0] == model and seen.add(found[1].id) and found[1].type in types:
                if behind and last is not None:
                    held.append(found[1])
                else:
                    yield found[1]
        if behind and source.caught_up:
            yield from held
            held.clear()
            behind = False
        if not behind and not forever:
            return
        if not bodies:
            wait()


class _Envelope(msgspec.Struct):
    id: str
    type: EventType
    partitionkey: str


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def _event(body: bytes) -> tuple[str, TailedEvent] | None:
    """Read model and event; None where it is none of ours."""
    try:
        envelope = _ENVELOPE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    # Another program may have copied the event over several lines.
    line = msgspec.json.format(body, indent=-1) if _LINE_END in body else body
    return envelope.partitionkey, TailedEvent(id=envelope.id, type=envelope.type, body=line)
