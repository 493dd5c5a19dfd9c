"""Where results are kept: the store, its reference, folders and topics."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from flows.config import Config
from flows.connections import kafka_connector, store_opener, store_text
from flows.doctor.findings import Finding, broken, doubtful, fine
from flows.generations import lineage_of
from flows.kafka.base import UnknownTopicError
from flows.recovery import holds_run
from flows.render.words import bytes_text
from state.reference import load
from state.stores.base import Store
from state.stores.redis import RedisStore
from state.stores.redis_series import SeriesBackend

_LITTLE = 1 << 30
"""Free bytes of a disk below which somebody should look."""


def store_findings(config: Config, config_name: str) -> Iterator[Finding]:
    """Look at the store and at what a run would compare with."""
    location = config.store
    if isinstance(location, Path) and not location.exists():
        yield from _no_reference(config, f"{location} is not there yet", config_name)
        return
    store = store_opener(config)()
    try:
        yield fine("store", f"{store_text(config)} answers")
        if isinstance(store, RedisStore):
            yield from _redis_findings(store)
        yield from _reference_findings(store, config, config_name)
    finally:
        store.close()


def _redis_findings(store: RedisStore) -> Iterator[Finding]:
    if store.series_backend is SeriesBackend.SORTED_SET:
        yield doubtful(
            "store",
            "has no time-series module: series are kept as sorted sets",
            "use Redis 8, where Grafana reads TS.* series itself; everything else works",
        )
    facts = store.facts()
    if facts.evicts:
        yield doubtful(
            "store",
            f"throws keys away where memory is short (maxmemory-policy {facts.policy})",
            "set maxmemory-policy noeviction: references and episodes must not vanish",
        )
    if not facts.persists:
        yield doubtful(
            "store",
            "keeps nothing on disk: a restart of the server loses references and events",
            "set appendonly yes",
        )


def _reference_findings(store: Store, config: Config, config_name: str) -> Iterator[Finding]:
    model = config.file.model
    activations = store.activations(model.name, model.version)
    if not activations:
        yield from _no_reference(config, f"version {model.version} of {model.name} has none", config_name)
        return
    lineage = lineage_of(config, activations)
    last = lineage.later[-1][1] if lineage.later else lineage.first
    reference = load(store.reference(model.name, last))
    reference.check_columns(config.tracks)
    reference.segments_of(config.segments.columns)
    yield fine("reference", f"{last} is active, of {reference.provenance.rows:,} rows")


def _no_reference(config: Config, found: str, config_name: str) -> Iterator[Finding]:
    if config.file.reference.missing == "refuse":
        yield broken("reference", found, f"driftflow reference build {config_name} FILE")
    else:
        yield doubtful("reference", found, f"`reference.missing` is {config.file.reference.missing!r}")


def output_findings(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at folders and topics of the results."""
    yield from _folder_findings("output", config.output)
    recovery = config.file.recovery
    if recovery is None and config.file.input.topics is not None:
        advice = "name `recovery.folder`"
        yield doubtful("recovery", "no folder is named: a run that ends begins anew", advice)
    elif recovery is not None:
        folder = config.folder / recovery.folder
        yield from _folder_findings("recovery", folder)
        if holds_run(folder):
            yield fine("recovery", "holds a run that the next one goes on with")
    given = config.file.output.topics
    topics = [name for name in (given.events, given.dead_letters, given.late_rows) if name is not None]
    if not topics:
        return
    client = kafka_connector(config, environ)()
    try:
        for topic in topics:
            try:
                client.partitions([topic])
                yield fine("output", f"topic {topic} is there")
            except UnknownTopicError as error:
                yield broken("output", str(error), "create it; one partition keeps all events in one order")
    finally:
        client.close()


def _folder_findings(area: str, folder: Path) -> Iterator[Finding]:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield broken(
            area, f"{there} cannot be written to", "name another folder, or allow this user to write"
        )
        return
    free = shutil.disk_usage(there).free
    text = f"{folder} can be written to, {bytes_text(free)} free"
    yield (
        fine(area, text) if free >= _LITTLE else doubtful(area, text, "make room, or set `output.retention`")
    )
