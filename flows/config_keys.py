"""Every key of the configuration: what it means, what it may be and its default, as the structs say it."""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import EnumMeta, StrEnum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import FieldInfo

from flows.schema import FileConfig

NAME = "NAME"
"""Stands in a path for a name that the file chooses."""

_ATTRIBUTE = re.compile(r"^(\w+)(?: : (.*))?$")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_ABSENT = (type(None), msgspec.UnsetType)
_WORDS: Mapping[object, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "`true` or `false`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key.

    Attributes
    ----------
    path
        Keys from the top of the file, joined by dots; `NAME` stands for names of the file's own.
    meaning
        In words; links are those of docs/configuration.md.
    wanted
        What it may be, in words.
    default
        What holds where it is not given; "required" where it must be.
    """

    path: str
    meaning: str
    wanted: str
    default: str

    @property
    def plain(self) -> str:
        """The meaning without links."""
        return _LINK.sub(r"\1", self.meaning)


@cache
def all_keys() -> tuple[Key, ...]:
    """Return the keys in the order of the structs."""
    return tuple(_keys(FileConfig, "", ""))


def matches(pattern: str, path: str) -> bool:
    """Tell whether a path of a file is of a key, such as ``columns.amount.kind`` of ``columns.NAME.kind``."""
    parts = [re.escape(part) if part != NAME else r"[^.]+" for part in pattern.split(".")]
    return re.fullmatch(r"\.".join(parts), path) is not None


def structs() -> tuple[type[msgspec.Struct], ...]:
    """Return the struct of the file, and those of all its sections."""
    found: list[type[msgspec.Struct]] = [FileConfig]
    for struct in found:
        for field in msgspec.structs.fields(struct):
            found += [each for each in structs_in(field.type) if each not in found]
    return tuple(found)


def meanings(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Return what the keys of one struct mean, without links, by their names in the file."""
    said = _said(struct)
    return {
        field.encode_name: _LINK.sub(r"\1", said[field.name][0])
        for field in msgspec.structs.fields(struct)
        if field.name in said
    }


def _keys(struct: type[msgspec.Struct], prefix: str, above: str) -> Iterator[Key]:
    said, hints = _said(struct), get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        path = f"{prefix}{field.encode_name}"
        meaning, default = said.get(field.name, ("", None))
        joined = ": ".join(part for part in (above, meaning) if part)
        inner = structs_in(field.type)
        if not inner:
            wanted = _wanted(hints[field.name])
            yield Key(path=path, meaning=joined, wanted=wanted, default=default or _default(field))
            continue
        named = get_origin(field.type) is dict
        below = f"{path}.{NAME}." if named else f"{path}."
        if len(inner) == 1:
            yield from _keys(inner[0], below, joined)
        else:
            yield from _union_keys(inner, below, joined)


def _union_keys(members: Sequence[type[msgspec.Struct]], prefix: str, above: str) -> Iterator[Key]:
    """Give the keys of structs that a tag tells apart: the tag, and each key once, with whose it is."""
    by_path: dict[str, dict[str, Key]] = {}
    for member in members:
        for key in _keys(member, prefix, above):
            by_path.setdefault(key.path, {})[str(member.__struct_config__.tag)] = key
    tags = [str(member.__struct_config__.tag) for member in members]
    words = ", ".join(f"`{tag}`" for tag in tags)
    tag_path = f"{prefix}{members[0].__struct_config__.tag_field}"
    yield Key(path=tag_path, meaning=f"which: {words}", wanted=words, default="required")
    for path, keys in by_path.items():
        said: dict[str, list[str]] = {}
        for tag, key in keys.items():
            said.setdefault(key.meaning, []).append(f"`{tag}`")
        whole = len(keys) == len(tags) and len(said) == 1
        parts = (text if whole else f"{', '.join(of)}: {text}" for text, of in said.items())
        wanted = " or ".join(dict.fromkeys(key.wanted for key in keys.values()))
        default = " or ".join(dict.fromkeys(key.default for key in keys.values()))
        yield Key(path=path, meaning="; ".join(parts), wanted=wanted, default=default)


def _said(struct: type[msgspec.Struct]) -> dict[str, tuple[str, str | None]]:
    """Read the Attributes of a struct's docstring, and of those it extends: meaning and default."""
    found: dict[str, tuple[str, str | None]] = {}
    for each in reversed(struct.__mro__):
        _, _, attributes = inspect.cleandoc(each.__doc__ or "").partition("Attributes\n----------\n")
        name, default, lines = "", None, list[str]()
        for line in [*attributes.splitlines(), "end"]:
            head = _ATTRIBUTE.match(line)
            if head is None:
                lines.append(line.strip())
                continue
            if name:
                found[name] = (" ".join(lines).strip(), default)
            name, default, lines = head[1], head[2], []
    return found


def structs_in(annotation: object) -> tuple[type[msgspec.Struct], ...]:
    """Return the structs of an annotation: none, one, or those that a tag tells apart."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return (annotation,)
    found = tuple(dict.fromkeys(each for inner in get_args(annotation) for each in structs_in(inner)))
    # Of others the file's form decides, and the first says what there is.
    return found if all(each.__struct_config__.tag is not None for each in found) else found[:1]


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is msgspec.NODEFAULT:
        if field.default_factory is msgspec.NODEFAULT:
            return "required"
        value = field.default_factory()
    return "none" if value is None or value in ((), {}) else f"`{written(value)}`"


def written(value: object) -> str:
    """Write a value as YAML has it on one line."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(written(item) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {written(item)}' for key, item in value.items())}}}"
    return value if isinstance(value, str) and value else msgspec.json.encode(value).decode()


def _wanted(annotation: object) -> str:
    """Say what a value may be."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _bounded(_wanted(inner[0]), [meta for meta in inner[1:] if isinstance(meta, msgspec.Meta)])
    if origin in {Union, UnionType}:
        return " or ".join(_wanted(each) for each in inner if each not in _ABSENT)
    if origin is dict:
        return f"names, each with {_wanted(inner[1])}"
    if origin is tuple:
        return f"a list of: {_wanted(inner[0])}"
    words = inner if origin is Literal else annotation if isinstance(annotation, EnumMeta) else ()
    return ", ".join(f"`{each}`" for each in words) or _WORDS.get(annotation, str(annotation))


def _number(bound: float) -> str:
    return f"{bound:,d}" if isinstance(bound, int) else f"{bound:g}"


def _bounded(wanted: str, metas: list[msgspec.Meta]) -> str:
    for meta in metas:
        bounds = (("from", meta.ge), ("above", meta.gt), ("to", meta.le), ("below", meta.lt))
        told = " ".join(f"{word} {_number(bound)}" for word, bound in bounds if bound is not None)
        if told:
            wanted = f"{wanted} {told}"
        if meta.pattern is not None:
            wanted = "letters, digits, `.`, `-` and `_`"
    return wanted
