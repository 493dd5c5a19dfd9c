"""What can be wrong with a decoder before it has seen a record."""

from collections.abc import Iterable, Sequence

from detectors.base import DriftflowError
from state.columns import Column


class DecodeSetupError(DriftflowError):
    """The configured columns cannot be read from this input."""


def check_names(columns: Sequence[Column]) -> None:
    """Refuse two columns of one name.

    Raises
    ------
    DecodeSetupError
        A name stands twice.
    """
    twice = first_repeated(column.name for column in columns)
    if twice is not None:
        raise DecodeSetupError(f"two columns have the name {twice!r}; give each a name of its own")


def first_repeated(names: Iterable[str]) -> str | None:
    """Return the first name that stands twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def parse_path(path: str) -> tuple[str, ...]:
    r"""Return the keys of a path: dots divide them, ``\.`` is a dot inside a key, ``\\`` a backslash.

    Raises
    ------
    DecodeSetupError
        A key is empty.

    Examples
    --------
    >>> parse_path("features.tenure")
    ('features', 'tenure')
    >>> parse_path(r"features\.tenure")
    ('features.tenure',)
    """
    keys = [""]
    characters = iter(path)
    for character in characters:
        if character == ".":
            keys.append("")
        elif character == "\\":
            following = next(characters, "")
            keys[-1] += following if following in {".", "\\"} else character + following
        else:
            keys[-1] += character
    if "" in keys:
        raise DecodeSetupError(
            f"the path {path!r} has an empty key; expected keys joined by single dots, "
            r"with \. for a dot inside a key"
        )
    return tuple(keys)
