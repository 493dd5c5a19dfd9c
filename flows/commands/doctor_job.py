"""Looks at everything that a configuration names, one thing after the other, and prints what it finds."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from flows.commands.console import results, show
from flows.commands.document import print_json
from flows.commands.exits import ExitCode
from flows.config import Config, load_config
from flows.detection import promise_of
from flows.doctor.findings import Finding, Health, fine, looked_at
from flows.doctor.inputs import input_findings
from flows.doctor.labels import label_findings
from flows.doctor.stores import output_findings, store_findings
from flows.render.examined import finding_lines
from flows.render.words import count_text


def examine(path: Path, *, json: bool) -> ExitCode:
    """Print what is found; fails where something would stop a run.

    Raises
    ------
    ConfigError
        The file itself is refused: nothing can be looked at.
    """
    findings = tuple(_findings(load_config(path), str(path)))
    if json:
        print_json(findings)
    else:
        console = results()
        show(console, finding_lines(findings, console.width))
    stopped = any(found.health is Health.PROBLEM for found in findings)
    return ExitCode.FAILED if stopped else ExitCode.DONE


def _findings(config: Config, config_name: str) -> Iterator[Finding]:
    yield from looked_at("configuration", lambda: _configuration(config))
    now_ms = time.time_ns() // 1_000_000
    yield from looked_at("input", lambda: input_findings(config, os.environ, now_ms=now_ms))
    yield from looked_at("labels", lambda: label_findings(config, os.environ))
    yield from looked_at("store", lambda: store_findings(config, config_name))
    yield from looked_at("output", lambda: output_findings(config, os.environ))


def _configuration(config: Config) -> Iterator[Finding]:
    model = config.file.model
    yield fine(
        "configuration",
        f"model {model.name}, version {model.version}: {count_text(len(config.columns), 'watched column')}, "
        f"windows {', '.join(window.name for window in config.grid.windows)}",
    )
    promise = promise_of(config)
    yield fine("detection", f"false alarms: {promise.alarms.budget.words(promise.period)}")
