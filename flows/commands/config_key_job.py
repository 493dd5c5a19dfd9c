"""Says of one key of the configuration what it means, what it may be, and what holds in a file, and why."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from rich.text import Text

from flows.commands.console import results, show
from flows.commands.document import print_json
from flows.commands.usage import UsageError
from flows.config import load_config
from flows.config_hints import nearest
from flows.config_keys import NAME, Key, all_keys, matches, written
from flows.config_text import named_variables, parse_text, read_text
from flows.presets import PRESETS
from flows.render.grid import note_lines


class From(StrEnum):
    """Where a value comes from."""

    FILE = "the file"
    ENVIRONMENT = "the environment"
    PRESET = "the preset"
    DEFAULT = "the default"


class ExplainedKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key, and what holds in a file.

    Attributes
    ----------
    value
        As YAML has it; None where nothing is set.
    comes_from, source
        Where it comes from, and the name of the variable or preset.
    """

    key: str
    meaning: str
    wanted: str
    default: str
    value: str | None
    comes_from: From
    source: str


def explain_key(path: Path, asked: str, *, json: bool) -> None:
    """Explain a key, or each that a section or a name stands for.

    Raises
    ------
    UsageError
        There is no such key.
    """
    config = load_config(path)
    plain, held = parse_text(read_text(path), str(path)), msgspec.to_builtins(config.file)
    found = [
        _explained(key, where, plain, held) for key in _asked(asked) for where in _places(key, asked, held)
    ]
    if json:
        print_json(found)
        return
    console = results()
    for each in found:
        show(console, _lines(each, console.width))


def _asked(asked: str) -> list[Key]:
    keys = all_keys()
    found = [key for key in keys if key.path == asked or matches(key.path, asked)]
    found = found or [key for key in keys if key.path.startswith(f"{asked}.") or _below(key.path, asked)]
    if not found:
        near = nearest(asked, (key.path for key in keys)) or nearest(
            asked.rpartition(".")[2], (key.path for key in keys), by_last=True
        )
        told = f"; did you mean {' or '.join(near)}?" if near else "; docs/configuration.md lists them"
        raise UsageError(f"there is no key {asked!r}{told}")
    return found


def _below(pattern: str, asked: str) -> bool:
    parts = pattern.split(".")
    length = asked.count(".") + 1
    return len(parts) > length and matches(".".join(parts[:length]), asked)


def _places(key: Key, asked: str, held: object) -> list[str]:
    """Return where a key stands in the file: as it was asked, or under each name that the file has."""
    parts, given = key.path.split("."), asked.split(".")
    places = [""]
    for i, part in enumerate(parts):
        if part != NAME:
            names = [part]
        elif i < len(given) and given[i] != NAME:
            names = [given[i]]
        else:
            names = sorted({name for place in places for name in _mapping(_at(held, place))})
        places = [f"{place}.{name}" if place else name for place in places for name in names]
    return places or [key.path]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _at(value: Any, place: str) -> Any:  # noqa: ANN401  # whatever the file holds
    for part in place.split("."):
        value = _mapping(value).get(part)
    return value


def _explained(key: Key, where: str, plain: object, held: object) -> ExplainedKey:
    given, value = _at(plain, where), _at(held, where)
    preset = str(_mapping(_mapping(held).get("detection")).get("preset"))
    comes_from, source = From.DEFAULT, ""
    if given is not None:
        variables = named_variables(given)
        comes_from, source = (From.ENVIRONMENT, ", ".join(variables)) if variables else (From.FILE, "")
    elif where.startswith("detection.") and _of_preset(preset, where) is not None:
        comes_from, source = From.PRESET, preset
    return ExplainedKey(
        key=where,
        meaning=key.plain,
        wanted=key.wanted.replace("`", ""),
        default=key.default.replace("`", ""),
        value=None if value is None else written(value),
        comes_from=comes_from,
        source=source,
    )


def _of_preset(preset: str, where: str) -> object:
    settings = next((settings for name, settings in PRESETS.items() if name == preset), {})
    return _at(settings, where.partition(".")[2])


def _lines(found: ExplainedKey, width: int) -> list[Text]:
    value = "not set" if found.value is None else found.value
    source = f" {found.source}" if found.source else ""
    if found.comes_from is From.DEFAULT and found.value is None:
        value, comes = found.default, "the default"
    else:
        comes = f"{found.comes_from}{source}"
    return [
        Text(f" {found.key}", "bold"),
        *note_lines(found.meaning, width, style=""),
        Text.assemble("    here     ", (value, "bold"), f"  from {comes}"),
        Text(f"    may be   {found.wanted}", "dim"),
        Text(f"    default  {found.default}", "dim"),
    ]
