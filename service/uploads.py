"""Files that are sent to the service: bounded, and kept in a folder of the service's own choice."""

import shutil
import zlib
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
    """

    file_bytes: int = 1 << 29
    unpacked_bytes: int = 1 << 32


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
        size, unpacked = 0, _Unpacked(self._limits.unpacked_bytes, place)
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

    def __init__(self, most: int, place: str) -> None:
        self._most, self._place = most, place
        self._size = 0
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
            if self._size > self._most:
                raise ProblemError(
                    413, f"{self._place}: unpacked the file has more than {self._most:,} bytes."
                )
            chunk = self._unpack.unconsumed_tail
            if self._unpack.eof and self._unpack.unused_data:
                # Another member may follow.
                chunk = self._unpack.unused_data
                self._unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
