"""Files that appear under their name only when they are complete."""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def replaced_output(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """Write a file as `replaced` does, compressed where its name says so.

    The gzip header has no name and time in it: they would differ from run to run.
    """
    with replaced(path) as raw:
        if path.suffix != ".gz":
            yield raw
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as packed:
            yield packed


@contextmanager
def replaced(path: Path) -> Iterator[IO[bytes]]:
    """Write beside the path and rename when all went well; nothing stays behind when not."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as raw:
            yield raw
            raw.flush()
            os.fsync(raw.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
