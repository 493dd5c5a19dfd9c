"""Files that are sent to the service: bounded, and kept in a folder of the service's own choice."""

import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from tempfile import mkdtemp
from typing import BinaryIO

from service.problems import ProblemError

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_ENDINGS = (".csv", ".jsonl", ".ndjson", ".json", ".parquet", ".arrow", ".feather")
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """What is taken at most.

    Attributes
    ----------
    file_bytes
        Of one file as it is sent.
    unpacked_bytes
        Of one file without its compression: a small file may hold a very large one.
    ratio
        Of its bytes without compression to those that were sent, once it has more than `small_bytes` of the
        former: unpacking 4 GiB takes long, and what is made to do that shrinks to a thousandth. Events shrink
        to a tenth or so.
    """

    file_bytes: int = 1 << 29
    unpacked_bytes: int = 1 << 32
    ratio: int = 100
    small_bytes: int = 1 << 25


class Workspace:
    """A folder for the files of one request."""

    def __init__(self, limits: UploadLimits) -> None:
        self._limits = limits
        self._folder = Path(mkdtemp(prefix="driftflow-"))

    def keep(self, place: str, name: str | None, source: BinaryIO) -> Path:
        """Write a file, and return where.

        Nothing of the sender's name decides where: it goes into a folder of its own, under the last part of
        the name, with characters that files are named by.

        Parameters
        ----------
        place
            What the file is, such as "baseline": the folder's name.

        Raises
        ------
        ProblemError
            The name does not tell a format that can be read, or the file is too large or empty.
        """
        path = self._folder / place / safe_name(name)
        path.parent.mkdir()
        size, unpacked = 0, _Unpacked(self._limits, place)
        with path.open("wb") as target:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > self._limits.file_bytes:
                    raise ProblemError(
                        413,
                        f"{place}: the file has more than {self._limits.file_bytes:,} bytes; send a part.",
                    )
                unpacked.add(chunk)
                target.write(chunk)
        if not size:
            raise ProblemError(422, f"{place}: the file is empty.")
        return path

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def workspace(limits: UploadLimits) -> Iterator[Workspace]:
    """Make a folder for a job that removes it; where none is started, it goes at once."""
    made = Workspace(limits)
    try:
        yield made
    except BaseException:
        made.remove()
        raise


def safe_name(name: str | None) -> str:
    """Return a name without any path that tells the same format.

    Raises
    ------
    ProblemError
        The name does not tell a format that can be read.

    Examples
    --------
    >>> safe_name("../../etc/train.CSV.gz")
    'train.csv.gz'
    """
    last = PureWindowsPath(PurePosixPath(name or "").name).name
    plain = last.lower().removesuffix(".gz")
    ending = next((each for each in _ENDINGS if plain.endswith(each)), None)
    if ending is None:
        raise ProblemError(
            415,
            f"The name {last[:_LONGEST_NAME]!r} does not tell the format; wanted {', '.join(_ENDINGS)}, "
            "texts with or without .gz.",
        )
    stem = "".join(c if c.isalnum() or c in "-_" else "_" for c in last[: len(plain) - len(ending)])
    packed = ".gz" if last.lower().endswith(".gz") else ""
    return f"{stem[:_LONGEST_NAME] or 'file'}{ending}{packed}"


class _Unpacked:
    """Counts what a gzip file holds, without keeping it."""

    def __init__(self, limits: UploadLimits, place: str) -> None:
        self._limits, self._place = limits, place
        self._read = self._size = 0
        self._first = True
        self._unpack: zlib._Decompress | None = None

    def add(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        if self._first and chunk.startswith(_GZIP):
            self._unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._first = False
        if self._unpack is None:
            return
        while chunk:
            try:
                self._size += len(self._unpack.decompress(chunk, _CHUNK))
            except zlib.error as error:
                raise ProblemError(422, f"{self._place}: the gzip file is damaged.") from error
            rest = self._unpack.unused_data if self._unpack.eof else self._unpack.unconsumed_tail
            self._read += len(chunk) - len(rest)
            self._check()
            if self._unpack.eof and rest:
                # Another member may follow.
                self._unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            chunk = rest

    def _check(self) -> None:
        limits = self._limits
        if self._size > limits.unpacked_bytes:
            raise ProblemError(
                413, f"{self._place}: unpacked the file has more than {limits.unpacked_bytes:,} bytes."
            )
        if self._size > limits.small_bytes and self._size > limits.ratio * self._read:
            raise ProblemError(
                413,
                f"{self._place}: unpacked the file has more than {limits.ratio:,} times the bytes that were "
                "sent; send it without compression.",
            )
