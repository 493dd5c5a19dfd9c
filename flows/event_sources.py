"""Where drift events are read from as they come: a topic of Kafka, or files that grow."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from alerts.alerting import Source
from flows.config import Config
from flows.connections import kafka_connector, topic_partitions
from flows.kafka.base import KafkaClient
from flows.kafka.reader import MAX_RECORDS, KafkaRecordReader, Start
from flows.sinks.rolling import log_parts

MOST_MARKS = 10_000
"""Lines back to which a file is compared with what was read of it."""
KEPT_MARKS = 200
"""Lines that a position holds: more than a run that resumes usually cuts off."""

_MOST_LINES = 1_000
_LINE_END = b"\n"


class EventSource(Source, Protocol):
    """Where events are read from; who opens it again may give its position."""

    def close(self) -> None:
        """Release connections; called once."""
        ...


class TopicTail:
    """All partitions of a topic, committed records only; waits for a cluster that is away.

    Parameters
    ----------
    position
        What `position` returned, of the same topic; a partition that has come since begins at `start`.

    Raises
    ------
    KafkaError
        The topic does not exist, or may not be read; or the position is of another one.
    """

    def __init__(
        self, client: KafkaClient, topic: str, start: Start, *, position: bytes | None = None
    ) -> None:
        known = {} if position is None else msgspec.json.decode(position, type=dict[str, bytes])
        self._partitions = topic_partitions(client, (topic,))
        self._readers = [
            KafkaRecordReader(client, at, start=start, position=known.get(str(at))) for at in self._partitions
        ]
        self._caught_up = False

    @property
    def caught_up(self) -> bool:
        """See `Source.caught_up`."""
        return self._caught_up

    def read(self) -> Sequence[bytes]:
        """See `Source.read`."""
        batches = [reader.read(MAX_RECORDS) for reader in self._readers]
        # A reader without an end to stop at never returns None.
        self._caught_up = all(batch is not None and batch.caught_up for batch in batches)
        return [value for batch in batches if batch is not None for value in batch.records]

    def position(self) -> bytes:
        """See `Source.position`."""
        pairs = zip(self._partitions, self._readers, strict=True)
        return msgspec.json.encode({str(at): reader.position() for at, reader in pairs})

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

    Parameters
    ----------
    position
        What `position` returned; it holds the last `KEPT_MARKS` lines. Where none of them stands any more,
        the log is read from its beginning.
    """

    def __init__(self, path: Path, *, most_marks: int = MOST_MARKS, position: bytes | None = None) -> None:
        self._path = path
        kept = () if position is None else msgspec.json.decode(position, type=tuple[_Mark, ...])
        self._marks = deque[_Mark](kept, maxlen=most_marks)
        self._caught_up = False

    @property
    def caught_up(self) -> bool:
        """See `Source.caught_up`."""
        return self._caught_up

    def read(self) -> Sequence[bytes]:
        """See `Source.read`; a file that is not there has no lines."""
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

    def position(self) -> bytes:
        """See `Source.position`."""
        return msgspec.json.encode(list(self._marks)[-KEPT_MARKS:])

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
        """See `Source.caught_up`."""
        return all(file.caught_up for file in self._files)

    def read(self) -> Sequence[bytes]:
        """See `Source.read`."""
        return [line for file in self._files for line in file.read()]

    def position(self) -> bytes:
        """See `Source.position`."""
        return msgspec.json.encode([file.position() for file in self._files])

    def close(self) -> None:
        """Close them."""
        for file in self._files:
            file.close()


def file_tails(paths: Sequence[Path], position: bytes | None) -> FileTails:
    """Open some logs where a position of `FileTails` says; a log that has come since begins at its start."""
    kept = [] if position is None else msgspec.json.decode(position, type=list[bytes])
    known = [*kept, *([None] * len(paths))]
    return FileTails([FileTail(path, position=at) for path, at in zip(paths, known, strict=False)])


def event_paths(config: Config) -> list[Path]:
    """Return the logs that runs of a configuration write events to."""
    output = config.file.output
    paths = [config.output / output.events]
    if config.performance is not None:
        # The reports of performance and of errors have an order, and so a file, each of its own.
        paths.append(config.output / output.performance)
    if config.late_errors:
        paths.append(config.output / output.errors)
    return paths


@contextmanager
def event_sources(
    config: Config, environ: Mapping[str, str]
) -> Iterator[Callable[[bytes | None], EventSource]]:
    """Give what opens the topic that runs write events to, or their files, at a position; closes all of it.

    Raises
    ------
    KafkaError
        See `TopicTail`.
    """
    with ExitStack() as stack:
        topic = config.file.output.topics.events
        if topic is None:
            yield lambda position: file_tails(event_paths(config), position)
            return
        client = kafka_connector(config, environ)()
        stack.callback(client.close)

        def opened(position: bytes | None) -> EventSource:
            tail = TopicTail(client, topic, Start(), position=position)
            stack.callback(tail.close)
            return tail

        yield opened


def _holds(files: Sequence[tuple[int, BinaryIO]], mark: _Mark) -> bool:
    """Whether a line is still what it was; one whose file was deleted as too old is taken to be."""
    begin, file = next(((b, f) for b, f in reversed(files) if b <= mark.start), (None, None))
    if begin is None or file is None:
        return bool(files) and mark.end <= files[0][0]
    file.seek(mark.start - begin)
    return _digest(file.read(mark.end - mark.start)) == mark.digest


def _digest(line: bytes) -> bytes:
    return blake2b(line, digest_size=16).digest()
