"""Works out the thresholds of a configuration with its active reference, and prints them."""

from collections.abc import Sequence
from math import log
from pathlib import Path
from typing import Any

import msgspec

from detectors.base import Detector
from detectors.registry import for_kind
from detectors.significance import primary_test
from flows.check_rules import check_rules
from flows.commands.console import results, show
from flows.commands.document import print_json
from flows.commands.stored import active_generations
from flows.config import Config, load_config
from flows.detection import measured_by, promise_of
from flows.presets import settings_of
from flows.render.limits import ColumnLimits, ExplainedConfig, ExplainedQuality, limit_lines
from flows.sections.detection import ScoreLimitConfig
from state.evidence import ColumnEvidence, evidence_of
from state.quality import QualityRules, expected_checks
from state.reference import FeatureReference, Reference

_LOG_10 = log(10)

_ROWS = 1_000
"""Rows of a window where the reference has no clock."""


def explain_limits(path: Path, rows: int | None, *, json: bool) -> None:
    """Print what the limits of a configuration turn into."""
    config = load_config(path)
    # The one that was activated last is the one to come, or the one that is.
    reference = active_generations(config, str(path)).references[-1]
    found = explained(config, reference, rows)
    if json:
        print_json(found)
        return
    console = results()
    show(console, limit_lines(found, console.width))


def explained(config: Config, reference: Reference, rows: int | None) -> ExplainedConfig:
    """Work the limits out; `rows`: of a window, None for what the reference lets expect."""
    promise = promise_of(config)
    reference.check_columns(config.columns)
    measured = measured_by(config)
    kinds = {column.name: column.kind for column in config.columns}
    risk = config.file.detection.evidence.risk
    evidence = evidence_of(reference, list(kinds), rows=promise.block.rows, risk=risk)
    expected = rows or typical_rows(config, reference)
    level = config.rules.false_discovery_rate
    budget = promise.alarms.budget
    quality, _ = check_rules(config)
    return ExplainedConfig(
        model=config.file.model.name,
        reference=reference.version,
        rules=config.rules,
        promise=budget.words(promise.period),
        patience=budget.threshold,
        lone_limit=budget.lone_log_threshold / _LOG_10,
        joint_limit=budget.log_threshold / _LOG_10,
        block_rows=promise.block.rows,
        block_span=promise.block.panes * config.grid.length,
        rows=expected,
        level=level,
        threshold=_threshold_text(config),
        preset=config.file.detection.preset,
        from_preset=_preset_settings(config),
        axis=config.grid.axis,
        quality=_quality(config, quality),
        columns=tuple(
            _limits(
                reference.feature(name), evidence[name], for_kind(kind, measured), expected, level, quality
            )
            for name, kind in kinds.items()
        ),
    )


def _quality(config: Config, rules: QualityRules | None) -> ExplainedQuality | None:
    """Say what the level of a window turns into; None where nothing is checked."""
    if rules is None:
        return None
    given = config.file.quality
    return ExplainedQuality(level=given.level, of_a_track=rules.level, min_excess=given.min_excess)


def _threshold_text(config: Config) -> str:
    given = config.file.detection.threshold
    if given.categorical is None:
        return _limit_text(given)
    return f"{_limit_text(given)}; a categorical one where {_limit_text(given.categorical)}"


def _limit_text(given: ScoreLimitConfig) -> str:
    options = ", ".join(f"{name} {value}" for name, value in sorted(given.options.items()))
    return f"its {given.method} is above the limit '{given.kind}'" + (f" ({options})" if options else "")


def _preset_settings(config: Config) -> dict[str, object]:
    """Settings that hold because the preset has them; what the file says otherwise is not among them."""
    file = msgspec.to_builtins(config.file)
    found = {}
    for path, value in settings_of(config.file.detection.preset):
        at: Any = file
        for key in path.split("."):
            at = None if at is None else at.get(key)
        if at == value:
            found[path] = value
    return found


def typical_rows(config: Config, reference: Reference) -> int:
    """Rows that a window of the first kind holds where rows come as they came in the reference."""
    window = config.grid.windows[0].size * config.grid.length
    made = reference.provenance
    if made.start_ms is None or made.end_ms is None or made.end_ms <= made.start_ms:
        return min(window, made.rows) if config.file.time.rows else _ROWS
    return max(1, round(made.rows * window / (made.end_ms - made.start_ms)))


def _limits(
    feature: FeatureReference,
    evidence: ColumnEvidence,
    detectors: Sequence[Detector],
    rows: int,
    level: float,
    quality: QualityRules | None,
) -> ColumnLimits:
    summary, dependence = feature.summary, evidence.dependence
    return ColumnLimits(
        column=feature.column.name,
        test=primary_test(summary),
        inflation=1.0 if dependence is None else dependence.inflation(rows),
        known=None if dependence is None else dependence.known(rows),
        block_rows=evidence.rows,
        limits={each.name: each.limit(summary, rows, level) for each in detectors},
        checks={}
        if quality is None
        else {check.name: check.upper for check in expected_checks(feature, rows, quality)},
    )
