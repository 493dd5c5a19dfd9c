"""JSON lines in a file, exactly once."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from detectors.base import DriftflowError
from flows.sinks.rolling import LostPositionError, Rolling, cut_back, drop_rolled, roll

_LINE_END = b"\n"


class SinkError(DriftflowError):
    """Results cannot be written."""


class JsonlFile:
    """A log of lines that can be cut back to where a snapshot was taken.

    Parameters
    ----------
    path
        The file; it is created where it is missing, its folder is not.
    resume
        What `snapshot` returned: whatever stands behind it was written by an epoch that did not finish, and
        is cut off. None starts anew and drops what the log held.
    rolling
        When to go on in a new file; None: never.

    Raises
    ------
    SinkError
        The file cannot be opened, is not a plain file, or is not the one the snapshot was taken of.
    """

    def __init__(self, path: Path, resume: int | None, rolling: Rolling | None = None) -> None:
        self._path = path
        self._rolling = rolling
        self._synced: int | None = None
        _size(path)
        # Where the file begins in the log; offsets count from there.
        self._start = _begin(path, resume)
        self._offset = (resume or 0) - self._start
        size = _size(path)
        if self._offset > size:
            raise SinkError(
                f"{path} has {size} bytes, and {self._offset} were written before the restart: the file was "
                "changed: put it back, or start anew with 'driftflow run --overwrite'"
            )
        self._file = self._opened()

    def write(self, lines: Sequence[bytes]) -> None:
        """Append lines, all or none, each with a line end; on return the operating system has them.

        Raises
        ------
        ValueError
            A line holds a line end.
        SinkError
            The file cannot be written, for example because the disk is full.
        """
        for line in lines:
            if _LINE_END in line:
                raise ValueError(f"a line holds a line end: {line[:100]!r}")
        rest = memoryview(b"".join(line + _LINE_END for line in lines))
        position = self._offset
        try:
            while rest:
                written = os.pwrite(self._file, rest, position)
                position += written
                rest = rest[written:]
        except OSError as error:
            # Readers that follow the file must not see half a line.
            with suppress(OSError):
                os.ftruncate(self._file, self._offset)
            raise _cannot("written", self._path, error) from error
        self._offset = position

    def snapshot(self) -> int:
        """Return the size of the log in bytes, all of which is on the disk; a full file is left then.

        Raises
        ------
        SinkError
            The disk refused.
        """
        if self._synced != self._offset:
            try:
                os.fsync(self._file)
            except OSError as error:
                raise _cannot("written", self._path, error) from error
            self._synced = self._offset
        position = self._start + self._offset
        if self._rolling is not None and self._offset >= self._rolling.max_bytes:
            self._roll(self._rolling)
        return position

    def close(self) -> None:
        """Close the file; called once."""
        os.close(self._file)

    def _opened(self) -> int:
        """Open the file and cut it back to the offset."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise _cannot("opened", self._path, error) from error
        try:
            self._cut(file)
        except BaseException:
            os.close(file)
            raise
        return file

    def _roll(self, rolling: Rolling) -> None:
        """Go on in a new file. Killed anywhere in here, a run finds the log as it was."""
        try:
            roll(self._path, self._start, rolling)
        except OSError as error:
            raise _cannot("renamed", self._path, error) from error
        full = self._file
        self._start, self._offset, self._synced = self._start + self._offset, 0, 0
        self._file = self._opened()
        os.close(full)

    def _cut(self, file: int) -> None:
        """Drop what stands behind the offset, and make a new file's name as durable as its content."""
        try:
            if self._offset and os.pread(file, 1, self._offset - 1) != _LINE_END:
                raise SinkError(
                    f"{self._path}: no line ends at byte {self._offset}, where the last snapshot was taken: "
                    "the file was changed: put it back, or start anew with 'driftflow run --overwrite'"
                )
            os.ftruncate(file, self._offset)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise _cannot("prepared", self._path, error) from error


class JsonlSink(FixedPartitionedSink[bytes, int]):
    """Bytewax's view of a `JsonlFile`; items are ``(key, line)``, and the key does not matter.

    Bytewax builds the partition with its first item, or at once where there is a snapshot. So a run that
    starts anew and may have no results leaves an old file as it is: ``JsonlFile(path, None).close()`` before
    the start empties it.

    Not a `DynamicSink`: recovery waits only for steps that take snapshots, and could call an epoch finished
    whose lines have not arrived here.

    Parameters
    ----------
    part
        Name of the one partition. Recovery files the snapshot under it, so it must not change.
    keep
        How many bytes at the file's beginning stay where no snapshot says how many do.
    rolling
        When to go on in a new file; None: never.
    """

    def __init__(
        self,
        path: Path,
        *,
        part: str = "events",
        keep: Callable[[Path], int] = lambda _: 0,
        rolling: Rolling | None = None,
    ) -> None:
        self._rolling = rolling
        self._path = path
        self._part = part
        self._keep = keep

    def list_parts(self) -> list[str]:
        """Return the name of the one partition."""
        return [self._part]

    def build_part(
        self,
        step_id: str,  # noqa: ARG002 - Bytewax's signature
        for_part: str,  # noqa: ARG002 - Bytewax's signature
        resume_state: int | None,
    ) -> StatefulSinkPartition[bytes, int]:
        """Open the file where the snapshot was taken."""
        start = self._keep(self._path) if resume_state is None else resume_state
        return _JsonlPartition(JsonlFile(self._path, start, self._rolling))


class _JsonlPartition(StatefulSinkPartition[bytes, int]):
    def __init__(self, file: JsonlFile) -> None:
        self._file = file

    def write_batch(self, values: list[bytes]) -> None:
        """Append lines; on return the operating system has them."""
        self._file.write(values)

    def snapshot(self) -> int:
        """Return the size in bytes, all of which is on the disk."""
        return self._file.snapshot()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _begin(path: Path, resume: int | None) -> int:
    """Return where in the log the file that is written begins, once nothing stands behind the snapshot."""
    try:
        if resume is None:
            drop_rolled(path)
            return 0
        return cut_back(path, resume)
    except LostPositionError as error:
        raise SinkError(
            f"{path}: the last snapshot was taken at byte {resume} of the log, and {error}: put the files "
            "back as they were, or start anew with 'driftflow run --overwrite'"
        ) from error
    except OSError as error:
        raise _cannot("cut back", path, error) from error


def _size(path: Path) -> int:
    """Return the size of a plain file, 0 where there is none."""
    try:
        if path.exists() and not path.is_file():
            raise SinkError(
                f"{path} is not a plain file, and only such a file can be cut back after a crash: "
                "name another"
            )
        return path.stat().st_size
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise _cannot("opened", path, error) from error


def _cannot(done: str, path: Path, error: OSError) -> SinkError:
    return SinkError(f"{path} cannot be {done}: {error.strerror}: check its folder, rights and free space")
