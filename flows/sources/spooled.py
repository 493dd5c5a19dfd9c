"""Standard input as a file: what is read twice, or from its end, cannot come from a pipe."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import GzipFile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, TypeVar

STANDARD_INPUT = Path("-")

PathOrNone = TypeVar("PathOrNone", Path, Path | None)

_BEGINNING = 65_536
_GZIP, _PARQUET, _ARROW = b"\x1f\x8b", b"PAR1", b"ARROW1"


@contextmanager
def spooled(path: PathOrNone, stream: BinaryIO) -> Iterator[PathOrNone]:
    """Give a path as it is, and for ``-`` a temporary file of what a stream holds; it is removed afterwards.

    The format is told from the first bytes: a brace begins JSON lines, Parquet, Arrow and gzip have marks of
    their own, and anything else is CSV.
    """
    if path != STANDARD_INPUT:
        yield path
        return
    with TemporaryDirectory(prefix="driftflow-") as folder:
        beginning = stream.read(_BEGINNING)
        file = Path(folder) / f"stdin{_ending(beginning)}"
        with file.open("wb") as target:
            target.write(beginning)
            shutil.copyfileobj(stream, target)
        yield file


def _ending(beginning: bytes) -> str:
    if beginning.startswith(_PARQUET):
        return ".parquet"
    if beginning.startswith(_ARROW):
        return ".arrow"
    if not beginning.startswith(_GZIP):
        return ".jsonl" if beginning.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") else ".csv"
    with GzipFile(fileobj=BytesIO(beginning)) as unpacked:
        # The rest of the file is missing here, so only the first byte that matters is asked for.
        first = unpacked.read1(_BEGINNING)
    return f"{_ending(first)}.gz"
