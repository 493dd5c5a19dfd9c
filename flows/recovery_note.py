"""The note beside the snapshots of a run: what they belong to, and what has changed since."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from detectors.base import DriftflowError
from flows.plan import Plan
from flows.sections.labels import joining
from state.codec import fingerprint_of

NOTE = "driftflow.json"

REFERENCE = "reference"
"""The part of a note that names the first reference."""

_ORDERED = ("columns", "windows")


class RecoveryError(DriftflowError):
    """A recovery folder cannot be used; the message says why and what to do."""


class OtherSettingsError(RecoveryError):
    """The state in a folder was made under other settings."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What the snapshots in a folder belong to.

    Attributes
    ----------
    parts
        A hash of each section of the configuration that stored state depends on, and the first reference.
    first
        Partitions that the run began with; None: all.
    later
        References after the first, with the pane from which each counts.
    settings
        Each key of those sections with its value as JSON, to say what has changed; notes of earlier releases
        have none.
    """

    format: int
    model: str
    partitions: tuple[str, ...]
    parts: dict[str, str]
    first: tuple[str, ...] | None = None
    later: tuple[tuple[int, str], ...] = ()
    settings: dict[str, str] = {}


def note_of(plan: Plan) -> Note:
    """Say what the state of a plan belongs to."""
    file = msgspec.to_builtins(plan.config.file)
    # State knows windows by their number and events list columns in turn, so of these the order counts too.
    depends = {
        "columns": list(file["columns"].items()),
        "time": file["time"],
        "windows": list(file["windows"].items()),
        "detection": file["detection"],
        "input.missing": file["input"]["missing"],
        **({"segments.columns": file["segments"]["columns"]} if file["segments"]["columns"] else {}),
        **({"labels": joining(plan.config.file.labels)} if plan.config.labels is not None else {}),
    }
    return Note(
        format=1,
        model=plan.model_key,
        partitions=plan.sources,
        first=plan.sources,
        later=plan.schedule.later,
        parts={
            **{key: fingerprint_of(value).hex() for key, value in depends.items()},
            REFERENCE: plan.generations.first.version,
        },
        settings=dict(_flat({**depends, **{key: dict(depends[key]) for key in _ORDERED}})),
    )


def write_note(path: Path, note: Note) -> None:
    """Write it, all or nothing."""
    temporary = path.with_suffix(".new")
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(note), indent=2))
    temporary.replace(path)


def read_note(path: Path) -> Note:
    """Read what the state in a folder belongs to.

    Raises
    ------
    RecoveryError
        The note cannot be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Note)
    except (OSError, msgspec.DecodeError) as error:
        raise RecoveryError(
            f"{path} cannot be read ({error}): start anew with 'driftflow run --overwrite', "
            "or put the folder back"
        ) from error


def check_note(folder: Path, found: Note, wanted: Note, *, live: bool) -> None:
    """Refuse to go on with the state of a run under other settings.

    Raises
    ------
    OtherSettingsError
        The message names each key that has changed, with both values, and partitions that came or went.
    """
    told = differences(found, wanted)
    gone = sorted(set(found.partitions) - set(wanted.partitions))
    if live and gone and not told:
        raise OtherSettingsError(
            f"{folder} holds the state of a run that read {', '.join(gone)}, and the input has no such "
            "partition any more: bring the topic back, name another recovery folder, or start anew with "
            "'driftflow run --overwrite'"
        )
    if not live and found.partitions != wanted.partitions:
        new = sorted(set(wanted.partitions) - set(found.partitions))
        told.append(f"input files (gone: {', '.join(gone) or 'none'}; new: {', '.join(new) or 'none'})")
    if told:
        raise OtherSettingsError(
            f"{folder} holds the state of a run with other settings; changed since: {', '.join(told)}. "
            "Go back to them, name another recovery folder, or drop the state: 'driftflow state reset', or "
            "'driftflow run --overwrite'"
        )


def differences(found: Note, wanted: Note) -> list[str]:
    """Name what has changed beside the input: model, keys of the configuration, first reference."""
    told = []
    if found.model != wanted.model:
        told.append(f"model ({found.model} then, {wanted.model} now)")
    for part in {**wanted.parts, **found.parts}:
        before, value = found.parts.get(part), wanted.parts.get(part)
        if before == value:
            continue
        if part == REFERENCE:
            told.append(f"reference ({before} then, {value} now)")
        else:
            told += _changed_keys(part, found.settings, wanted.settings)
    return told


def _changed_keys(part: str, then: dict[str, str], now: dict[str, str]) -> list[str]:
    """Name the keys of a section that differ; the section alone where only their order does."""
    keys = [key for key in {**then, **now} if key == part or key.startswith(f"{part}.")]
    told = [
        f"{key} ({then.get(key, 'not there')} then, {now.get(key, 'not there')} now)"
        for key in keys
        if then.get(key) != now.get(key)
    ]
    if not then:
        return [part]
    return told or [f"{part} (their order)"]


def _flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Give each key by its path, with its value as JSON."""
    if not isinstance(value, dict):
        yield path, msgspec.json.encode(value).decode()
        return
    for key, inner in value.items():
        yield from _flat(inner, f"{path}.{key}" if path else key)
