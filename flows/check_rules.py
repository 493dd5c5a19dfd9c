"""What the checks of windows go by: the level of a window, split over all that is checked."""

from collections.abc import Sequence
from dataclasses import replace

from flows.config import Config
from flows.sections.quality import quality_rules
from state.columns import Column
from state.prediction_checks import PredictionRules
from state.quality import OF_KIND, QualityRules


def check_rules(config: Config) -> tuple[QualityRules | None, PredictionRules | None]:
    """Split `quality.level` over fields, the records, and each check of predictions (Bonferroni)."""
    given, enough = config.file.quality, config.rules.min_rows
    asked = {name: each for made in config.derivations for name, each in made.asked.items()}
    derived = [column for column in config.columns if column.formula is not None]
    fields = len(config.columns) - len(derived)
    tracks = max(fields + config.watches_records + sum(map(len, asked.values())), 1)
    quality = quality_rules(given, tracks=tracks, min_rows=enough)
    predictions = PredictionRules(asked=asked, level=given.level / tracks, min_rows=enough)
    return None if quality is None else _of_fields(quality, derived), predictions if asked else None


def _of_fields(rules: QualityRules, derived: Sequence[Column]) -> QualityRules:
    """Leave derived columns to limits that are given: else they would tell the faults of fields again."""
    without = {
        column.name: frozenset(OF_KIND[column.kind]).difference(rules.given.get(column.name, ()))
        for column in derived
    }
    return replace(rules, without_in={**rules.without_in, **without})
