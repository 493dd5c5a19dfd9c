"""Writes the tables of docs/configuration.md from what the code says of each key.

``scripts/keys`` brings the page up to date; with ``--check`` it only says by its exit code whether it is.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from flows.config_keys import Key, all_keys

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"

_TABLE = re.compile(r"<!-- keys: (\S+) -->\n.*?<!-- end of keys -->", re.DOTALL)
_STEPS = "columns.NAME.transform."
"""The page tells of these step by step, words that are no keys among them."""


def up_to_date(page: str) -> str:
    """Return the page with its tables as they should be."""
    prefixes = _TABLE.findall(page)

    def table(found: re.Match[str]) -> str:
        prefix = found[1]
        lines = "\n".join(_lines([key for key in all_keys() if _owner(key.path, prefixes) == prefix]))
        return f"<!-- keys: {prefix} -->\n{lines}\n<!-- end of keys -->"

    return _TABLE.sub(table, page)


def left_out(page: str) -> list[str]:
    """Return the keys that no table of the page has."""
    prefixes = _TABLE.findall(page)
    return [
        key.path
        for key in all_keys()
        if _owner(key.path, prefixes) is None and not key.path.startswith(_STEPS)
    ]


def _owner(path: str, prefixes: Sequence[str]) -> str | None:
    """Return the longest of the prefixes that a key begins with."""
    if path.startswith(_STEPS):
        return None
    return max((prefix for prefix in prefixes if path.startswith(f"{prefix}.")), key=len, default=None)


def _lines(keys: Sequence[Key]) -> Iterator[str]:
    yield "| key | default | meaning |"
    yield "|---|---|---|"
    for meaning, group in groupby(keys, key=lambda key: key.meaning):
        told = list(group)
        names = ", ".join(f"`{key.path}`" for key in told)
        yield f"| {names} | {', '.join(dict.fromkeys(key.default for key in told))} | {meaning} |"


def main() -> None:
    """Write the page, or with ``--check`` exit with 1 where that would change it."""
    before = PAGE.read_text()
    after = up_to_date(before)
    if "--check" in sys.argv:
        sys.exit(before != after)
    PAGE.write_text(after)
