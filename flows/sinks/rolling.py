"""A log in several files: the one that is written, and those that were full before it.

A full file is renamed to say at which byte of the whole log it begins, so a position in the log means the
same whatever was renamed or deleted since.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from detectors.base import DriftflowError

_DIGITS = 20


class LostPositionError(DriftflowError):
    """A log can no longer be cut back to a position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """When a file is full, and how many full ones are kept.

    Attributes
    ----------
    max_bytes
        A file that has as many when a snapshot is taken is full.
    keep_files
        Full files that stay, 2 or more: the last snapshot may stand in one of them.
    """

    max_bytes: int
    keep_files: int


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a log, and the byte of the log at which it begins."""

    start: int
    path: Path

    @property
    def end(self) -> int:
        """The byte of the log behind it."""
        return self.start + self.path.stat().st_size


def rolled_path(path: Path, start: int) -> Path:
    """Name a full file.

    Examples
    --------
    >>> rolled_path(Path("out/events.jsonl"), 1_048_581).name
    'events.00000000000001048581.jsonl'
    """
    return path.with_name(f"{path.stem}.{start:0{_DIGITS}d}{path.suffix}")


def rolled_parts(path: Path) -> list[Part]:
    """Return the full files of a log that are kept, in order."""
    name = re.compile(rf"{re.escape(path.stem)}\.(\d{{{_DIGITS}}}){re.escape(path.suffix)}")
    found = ((name.fullmatch(file.name), file) for file in path.parent.glob(f"*{path.suffix}"))
    return sorted((Part(int(match[1]), file) for match, file in found if match), key=lambda part: part.start)


def log_parts(path: Path) -> list[Part]:
    """Return all files of a log that are there, in order; the one that is written comes last."""
    parts = rolled_parts(path)
    if path.exists():
        parts.append(Part(parts[-1].end if parts else 0, path))
    return parts


def drop_rolled(path: Path) -> bool:
    """Delete the full files of a log; return whether there were any."""
    parts = rolled_parts(path)
    for part in parts:
        part.path.unlink()
    return bool(parts)


def roll(path: Path, start: int, rolling: Rolling) -> None:
    """Put a full file beside the others, and delete those that are one too many."""
    path.replace(rolled_path(path, start))
    for part in rolled_parts(path)[: -rolling.keep_files]:
        part.path.unlink()


def cut_back(path: Path, position: int) -> int:
    """Cut the full files back to a position of the log; return where the file that is written begins then.

    What is interrupted here is finished by the next call: the files are cut from the end of the log on.

    Raises
    ------
    LostPositionError
        The position stands in a file that was deleted or changed.
    """
    parts = rolled_parts(path)
    if not parts or position >= parts[-1].end:
        return parts[-1].end if parts else 0
    if position < parts[0].start:
        raise LostPositionError(f"what is left begins at byte {parts[0].start}")
    *_, last = (part for part in parts if part.start <= position)
    if position > last.start and not _ends_line(last.path, position - last.start):
        raise LostPositionError(f"in {last.path.name} no line ends there")
    if path.exists():
        os.truncate(path, 0)
    for part in reversed(parts):
        if part.start > position:
            part.path.unlink()
    os.truncate(last.path, position - last.start)
    return position


def _ends_line(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"
