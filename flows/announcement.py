"""Events that stand at the head of an events file before a run has begun: they tell that it waits."""

from pathlib import Path

import msgspec

from state.events import EventType


class _Head(msgspec.Struct):
    type: str


def announced(path: Path) -> int:
    """Return how many bytes at the beginning of a file are such events; a run that starts anew keeps them."""
    size = 0
    if path.is_file():
        with path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n") or not _is_announcement(line):
                    break
                size += len(line)
    return size


def _is_announcement(line: bytes) -> bool:
    try:
        return msgspec.json.decode(line, type=_Head).type == EventType.MISSING
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
