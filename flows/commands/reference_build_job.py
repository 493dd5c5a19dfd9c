"""Builds a reference, keeps it, and says what is remarkable about it."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from flows.commands.config_explain_job import typical_rows
from flows.commands.console import commands_lines, messages, results, show, warn
from flows.commands.document import print_json
from flows.commands.stored import activate_version, active_version, open_store
from flows.commands.usage import UsageError
from flows.config import Config, load_config
from flows.config_values import span_of
from flows.connections import kafka_connector
from flows.decode.base import Reason
from flows.detection import measured_by
from flows.input import InputSet, config_input
from flows.kafka_input import kafka_input
from flows.learning import learn_reference
from flows.record_spec import record_spec
from flows.reference_build import BuiltReference, build_reference
from flows.reference_parts import end_of_span
from flows.render.dependence import DependenceFacts, dependence_facts, dependence_warnings
from flows.render.progress import meter
from flows.render.references import column_facts, reference_lines
from flows.render.words import count_text
from flows.sources.formats import FileFormat, list_files
from flows.sources.opening import open_reader
from flows.sources.spooled import spooled
from state.durations import Axis

FEW_ROWS = 5_000
"""Rows below which a reference is itself uncertain by about as much as small drifts are large."""

_PROBE_ROWS = 8_192


class BuiltDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What ``reference build --json`` prints; `dependence` by column."""

    model: str
    version: str
    new: bool
    active: bool
    rows: int
    refused: dict[str, int]
    dependence: dict[str, DependenceFacts | None]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of a reference in the store: whether its version is new, and whether it is active."""

    new: bool
    active: bool


def build_and_store(
    path: Path, file: Path | None, *, rows: int | None, span: str | None, activate: bool | None, json: bool
) -> None:
    """Build a reference as the command line asks.

    Raises
    ------
    UsageError
        Rows of a topic are asked for by a span of time.
    """
    config = load_config(path)
    timed = True
    if file is None and config.file.input.topics is not None:
        built = _built_of_topics(config, rows, span)
    else:
        with spooled(file, sys.stdin.buffer) as given:
            source, timed = reference_source(config, given)
            rows, before = _first_part(config, source, rows, span)
            built = build_with_progress(config, source, rows=rows, before=before)
    kept = keep(config, built, activate=activate)
    window = typical_rows(config, built.reference)
    dependence = {f.column.name: dependence_facts(f, window) for f in built.reference.features}
    warnings = (*_warnings(config, built, timed=timed), *dependence_warnings(dependence))
    if json:
        print_json(
            BuiltDocument(
                model=built.reference.model,
                version=built.reference.version,
                new=kept.new,
                active=kept.active,
                rows=built.reference.provenance.rows,
                refused={str(reason): count for reason, count in built.refused.items()},
                dependence=dependence,
                warnings=warnings,
            )
        )
    else:
        console = results()
        lines = reference_lines(built.reference, active=kept.active, rows=window, width=console.width)
        show(console, lines)
    for warning in warnings:
        warn(warning)
    if not kept.new:
        messages().print(
            "This version was there already: the same data give the same version.", soft_wrap=True
        )
    if not json:
        following = (
            f"driftflow run {path}"
            if kept.active
            else f"driftflow reference activate {path} {built.reference.version}"
        )
        show(messages(), commands_lines("Next:", [following]))


def _built_of_topics(config: Config, rows: int | None, span: str | None) -> BuiltReference:
    """Build from the first records of the configured topics, as `reference.missing: learn` would."""
    if span is not None:
        raise UsageError("--span reads an input to its end, and topics have none: use --rows, or name a file")
    source = kafka_input(config, kafka_connector(config, os.environ))
    try:
        return learn_reference(
            source,
            config.columns,
            model=config.file.model.name,
            rows=config.file.reference.rows if rows is None else rows,
            now_ms=time.time_ns() // 1_000_000,
            segments=config.segments,
            outcomes=None if config.performance is None else config.performance.spec,
        )
    finally:
        source.close()


def reference_source(config: Config, file: Path | None) -> tuple[InputSet, bool]:
    """Open a file, or the configured input, as what a reference is built from; say whether it has times."""
    timed = _has_times(config, file)
    return config_input(_for_reference(config, file, timed=timed), file), timed


def _first_part(
    config: Config, source: InputSet, rows: int | None, span: str | None
) -> tuple[int | None, int | None]:
    """Return how many rows to take at most, and the event time before which they must be."""
    if span is None:
        return rows, None
    axis = config.grid.axis
    length = span_of(span, axis, "--span")
    if axis is Axis.ROWS:
        return length if rows is None else min(rows, length), None
    before = end_of_span(source, length)
    if before is None:
        raise UsageError("--span needs event times, and the first rows hold none: use --rows")
    return rows, before


def build_with_progress(
    config: Config, source: InputSet, *, rows: int | None = None, before: int | None = None
) -> BuiltReference:
    """Build the reference of the configured model and show how far it is."""
    # What is read is known in advance only where all of it is: twice, for the bins and for the counts.
    with meter(
        messages(), "Building the reference", total=2 * source.total, unit=source.unit, clock=time.monotonic
    ) as progress:
        return build_configured(config, source, rows=rows, before=before, on_read=progress.advance)


def build_configured(
    config: Config,
    source: InputSet,
    *,
    rows: int | None = None,
    before: int | None = None,
    on_read: Callable[[int], None],
) -> BuiltReference:
    """Build the reference of the configured model, with all that its configuration counts."""
    return build_reference(
        source,
        config.tracks,
        model=config.file.model.name,
        now_ms=time.time_ns() // 1_000_000,
        rows=rows,
        before=before,
        segments=config.segments,
        records=record_spec(config),
        detectors=measured_by(config),
        errors=tuple(column for made in config.late_errors for column in made.columns),
        outcomes=None if config.performance is None else config.performance.spec,
        on_read=on_read,
    )


def keep(config: Config, built: BuiltReference, *, activate: bool | None) -> Kept:
    """Store a reference; activate it where asked, or where it is the first and nothing was said."""
    reference = built.reference
    with open_store(config) as store:
        known = {info.version for info in store.references(reference.model)}
        store.put_reference(reference.stored())
        before = active_version(store, config)
        if activate or (activate is None and before is None):
            activate_version(store, config, reference.version)
        active = active_version(store, config) == reference.version
        return Kept(new=reference.version not in known, active=active)


def _for_reference(config: Config, file: Path | None, *, timed: bool) -> Config:
    """Return the configuration for reading a reference: with labels where it has them, and times."""
    fields, errors = config.reference_fields, config.late_errors
    path = file or config.input
    if config.labels is not None and path is not None:
        label = config.labels.fields[1]
        own = next(field for field in fields if field.name == label.name)
        if _headers_lack(own.path, path, config, file):
            fields, errors = config.fields, ()
    derivations = (*config.derivations, *errors)
    return replace(config, fields=fields, derivations=derivations, time=config.time if timed else None)


def _has_times(config: Config, file: Path | None) -> bool:
    """Whether the first records of an input hold event times: a training set often has none."""
    path = file or config.input
    if config.time is None or (path is not None and _headers_lack(config.time.path, path, config, file)):
        return False
    opener = next(iter(config_input(config, file).readers.values()))
    reader, decoder = opener(None)
    try:
        raw = reader.read(_PROBE_ROWS)
    finally:
        reader.close()
    if raw is None:
        return True
    decoded = decoder.decode(raw.records)
    refused = {refusal.reason for refusal in decoded.refused}
    return len(decoded.kept) > 0 or refused != {Reason.NO_TIME}


def _headers_lack(field: str, path: Path, config: Config, file: Path | None) -> bool:
    """Whether the input is CSV, and no header has a field."""
    given = config.file.input.format if file is None else None
    headers = []
    for found in list_files(path).values():
        reader = open_reader(found, format=None if given is None else FileFormat(given))
        reader.close()
        headers.append(reader.header)
    return all(header and field not in header for header in headers)


def _warnings(config: Config, built: BuiltReference, *, timed: bool) -> list[str]:
    found = []
    if config.time is not None and not timed:
        found.append(
            f"the data have no time column {config.time.path!r}: built without them, in the order of the rows"
        )
    if built.refused:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in built.refused.items())
        found.append(f"{count_text(sum(built.refused.values()), 'record')} refused ({reasons})")
    rows = built.reference.provenance.rows
    if rows < FEW_ROWS:
        found.append(
            f"{count_text(rows, 'row')} make an uncertain reference: {FEW_ROWS:,} or more tell small drifts "
            "from chance"
        )
    constant = [f.column.name for f in built.reference.features if column_facts(f, rows).constant]
    if constant:
        found.append(f"no variation in {', '.join(constant)}: any other value there will count as drift")
    return found
