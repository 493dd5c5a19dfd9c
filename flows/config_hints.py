"""What was probably meant by a key that is none."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from flows.config_keys import NAME, all_keys

_UNKNOWN = re.compile(r"unknown field `([^`]+)`(?: - at `\$\.?([^`]*)`)?")
_ELEMENT = re.compile(r"\[[^\]]*\]")


def hint(error: str) -> str:
    """Return what to add to an error of msgspec about an unknown key; nothing where none is near.

    Examples
    --------
    >>> hint("Object contains unknown field `latenes` - at `$.time`")
    '; did you mean `time.lateness` or `time.latest`?'
    """
    found = _UNKNOWN.search(error)
    if found is None:
        return ""
    # msgspec writes names that the file chooses as elements.
    above = _ELEMENT.sub(f".{NAME}", found[2] or "")
    path = f"{above}.{found[1]}" if above else found[1]
    sections = {".".join(key.path.split(".")[: path.count(".") + 1]) for key in all_keys()}
    siblings = [each for each in sections if each.rpartition(".")[0] == above]
    near = nearest(path, siblings) or nearest(found[1], (key.path for key in all_keys()), by_last=True)
    return f"; did you mean {' or '.join(f'`{each}`' for each in near)}?" if near else ""


def nearest(path: str, known: Iterable[str], *, by_last: bool = False) -> list[str]:
    """Return the keys that look most like one, the nearest first.

    Parameters
    ----------
    by_last
        Compare with the last part of each only: the key may stand in another section.
    """
    names: dict[str, str] = {}
    for each in known:
        names.setdefault(each.rpartition(".")[2] if by_last else each, each)
    return [names[each] for each in get_close_matches(path, names, n=2, cutoff=0.75)]
