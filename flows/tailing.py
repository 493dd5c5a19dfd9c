"""Follows drift events as they come, each id once: from a topic of Kafka, or from a file that grows."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from flows.connections import topic_partitions
from flows.kafka.base import KafkaClient
from flows.kafka.reader import MAX_RECORDS, KafkaRecordReader, Start
from flows.sinks.rolling import log_parts
from state.events import EventType

MOST_IDS = 100_000
"""Ids that are remembered; a repetition that comes later than that many events is printed again."""
MOST_MARKS = 10_000
"""Lines back to which a file is compared with what was read of it."""

_MOST_LINES = 1_000
_LINE_END = b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class TailedEvent:
    """One drift event; `body` is the CloudEvent as it was written, on one line."""

    id: str
    type: EventType
    body: bytes


class EventSource(Protocol):
    """Where events are read from."""

    @property
    def caught_up(self) -> bool:
        """Whether the last `read` found that there is no more by now."""
        ...

    def read(self) -> Sequence[bytes]:
        """Return what has come since the last call; never waits."""
        ...

    def close(self) -> None:
        """Release connections; called once."""
        ...


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


class TopicTail:
    """All partitions of a topic, committed records only; waits for a cluster that is away.

    Raises
    ------
    KafkaError
        The topic does not exist, or may not be read.
    """

    def __init__(self, client: KafkaClient, topic: str, start: Start) -> None:
        self._readers = [
            KafkaRecordReader(client, at, start=start) for at in topic_partitions(client, (topic,))
        ]
        self._caught_up = False

    @property
    def caught_up(self) -> bool:
        """See `EventSource.caught_up`."""
        return self._caught_up

    def read(self) -> Sequence[bytes]:
        """See `EventSource.read`."""
        batches = [reader.read(MAX_RECORDS) for reader in self._readers]
        # A reader without an end to stop at never returns None.
        self._caught_up = all(batch is not None and batch.caught_up for batch in batches)
        return [value for batch in batches if batch is not None for value in batch.records]

    def close(self) -> None:
        """Release the readers; the client stays open."""
        for reader in self._readers:
            reader.close()


@dataclass(frozen=True, slots=True)
class _Mark:
    """A line that was read: where it stands, and a hash of it."""

    start: int
    end: int
    digest: bytes


class FileTail:
    """The complete lines of a log that another process writes, in one file or several.

    A run that resumes cuts the log back to its last snapshot and goes on from there; by the next look it may
    be longer again than it was. So every look begins with the last line that was read: where it is not the
    same any more, reading goes back to the last one that is. What is read twice so is left out by its id.
    One line is enough to look at: a run is deterministic, so it writes a line behind the same lines only.
    """

    def __init__(self, path: Path, *, most_marks: int = MOST_MARKS) -> None:
        self._path = path
        self._marks = deque[_Mark](maxlen=most_marks)
        self._caught_up = False

    @property
    def caught_up(self) -> bool:
        """See `EventSource.caught_up`."""
        return self._caught_up

    def read(self) -> Sequence[bytes]:
        """See `EventSource.read`; a file that is not there has no lines."""
        try:
            with ExitStack() as stack:
                parts = log_parts(self._path)
                files = [(part.start, stack.enter_context(part.path.open("rb"))) for part in parts]
                # What was opened may not be what was listed: the next look finds it.
                moved = log_parts(self._path)[: len(parts)] != parts
                lines = [] if moved else self._lines(files)
        except FileNotFoundError:
            moved, lines = True, []
        self._caught_up = not lines and (not moved or not self._path.exists())
        return lines

    def close(self) -> None:
        """Do nothing: files are open only while they are read."""

    def _lines(self, files: Sequence[tuple[int, BinaryIO]]) -> list[bytes]:
        while self._marks and not _holds(files, self._marks[-1]):
            self._marks.pop()
        position = self._marks[-1].end if self._marks else 0
        lines: list[bytes] = []
        for begin, file in files:
            start = max(position, begin)
            file.seek(start - begin)
            for line in islice(file, _MOST_LINES - len(lines)):
                if not line.endswith(_LINE_END):
                    break
                self._marks.append(_Mark(start, start + len(line), _digest(line)))
                start += len(line)
                lines.append(line.removesuffix(_LINE_END))
        return lines


class FileTails:
    """Several logs, each in its own order."""

    def __init__(self, files: Sequence[FileTail]) -> None:
        self._files = files

    @property
    def caught_up(self) -> bool:
        """See `EventSource.caught_up`."""
        return all(file.caught_up for file in self._files)

    def read(self) -> Sequence[bytes]:
        """See `EventSource.read`."""
        return [line for file in self._files for line in file.read()]

    def close(self) -> None:
        """Close them."""
        for file in self._files:
            file.close()


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


def _holds(files: Sequence[tuple[int, BinaryIO]], mark: _Mark) -> bool:
    """Whether a line is still what it was; one whose file was deleted as too old is taken to be."""
    begin, file = next(((b, f) for b, f in reversed(files) if b <= mark.start), (None, None))
    if begin is None or file is None:
        return bool(files) and mark.end <= files[0][0]
    file.seek(mark.start - begin)
    return _digest(file.read(mark.end - mark.start)) == mark.digest


def _digest(line: bytes) -> bytes:
    return blake2b(line, digest_size=16).digest()
