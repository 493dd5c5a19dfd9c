"""Streams of bytes out of files, plain or gzip, that say how far they are."""

import gzip
import io
import os
import zlib
from pathlib import Path
from typing import BinaryIO, Protocol

from flows.sources.base import SourceError

_GZIP_MAGIC = b"\x1f\x8b"

_SKIP_BYTES = 1_048_576


class ByteStream(Protocol):
    """The bytes of one file, decompressed.

    Attributes
    ----------
    total_bytes
        Size of the file on disk when it was opened.
    """

    total_bytes: int

    @property
    def consumed(self) -> int:
        """Bytes of the file on disk that were read so far."""
        ...

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, at least one unless the stream ends.

        Raises
        ------
        SourceError
            The file cannot be read or is damaged.
        """
        ...

    def skip(self, offset: int) -> None:
        """Go to an offset, at the start only.

        Raises
        ------
        SourceError
            The stream is shorter.
        """
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class PlainStream:
    """A file that is not compressed."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.total_bytes = os.fstat(file.fileno()).st_size
        self._path = path
        self._file = file
        self._consumed = 0

    @property
    def consumed(self) -> int:
        """Bytes read so far, those skipped included."""
        return self._consumed

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes."""
        try:
            block = self._file.read(size)
        except OSError as error:
            raise SourceError(f"{self._path}: cannot be read: {error}") from error
        self._consumed += len(block)
        return block

    def skip(self, offset: int) -> None:
        """Seek."""
        if offset > self.total_bytes:
            raise _too_short(self._path, offset, self.total_bytes)
        self._file.seek(offset)
        self._consumed = offset

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class GzipStream:
    """A gzip file of one or more members."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.total_bytes = os.fstat(file.fileno()).st_size
        self._path = path
        self._file = file
        self._gzip = gzip.GzipFile(fileobj=file, mode="rb")

    @property
    def consumed(self) -> int:
        """Compressed bytes read so far."""
        return self._file.tell()

    def read(self, size: int) -> bytes:
        """Return up to `size` decompressed bytes.

        One call of `read1` makes one step of decompression, so what was decompressed before a damaged place
        is returned before the error is raised.
        """
        try:
            return self._gzip.read1(size)
        except EOFError as error:
            raise SourceError(
                f"{self._path}: the gzip file ends in the middle, after {self.consumed:,} bytes; "
                "copy it again from where it came"
            ) from error
        except (OSError, zlib.error) as error:
            raise SourceError(
                f"{self._path}: the gzip file is damaged within the first {self.consumed:,} bytes: {error}; "
                "copy it again from where it came"
            ) from error

    def skip(self, offset: int) -> None:
        """Decompress up to the offset, and forget it."""
        done = 0
        while done < offset:
            block = self.read(min(_SKIP_BYTES, offset - done))
            if not block:
                raise _too_short(self._path, offset, done)
            done += len(block)

    def close(self) -> None:
        """Close the file."""
        self._gzip.close()
        self._file.close()


def open_stream(path: Path) -> ByteStream:
    """Open a file; gzip is known by its first two bytes.

    Raises
    ------
    SourceError
        The file cannot be opened.
    """
    try:
        file = io.FileIO(path)
    except OSError as error:
        raise SourceError(f"{path}: cannot be opened: {error.strerror}") from error
    try:
        magic = file.read(len(_GZIP_MAGIC))
        file.seek(0)
    except OSError as error:
        file.close()
        raise SourceError(f"{path}: cannot be read: {error}") from error
    return GzipStream(path, file) if magic == _GZIP_MAGIC else PlainStream(path, file)


def _too_short(path: Path, offset: int, size: int) -> SourceError:
    return SourceError(
        f"{path}: holds {size:,} bytes, but reading is to resume at byte {offset:,}; the file was cut or "
        "replaced. Put it back, or reset the state to start over"
    )
