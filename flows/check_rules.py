"""What the checks of windows go by: the level of a window, split over all that is checked."""

from flows.config import Config
from flows.sections.quality import quality_rules
from state.prediction_checks import PredictionRules
from state.quality import QualityRules


def check_rules(config: Config) -> tuple[QualityRules | None, PredictionRules | None]:
    """Split `quality.level` over columns, the records, and each check of predictions (Bonferroni)."""
    given, enough = config.file.quality, config.rules.min_rows
    asked = {name: each for made in config.derivations for name, each in made.asked.items()}
    tracks = len(config.columns) + config.watches_records + sum(map(len, asked.values()))
    predictions = PredictionRules(asked=asked, level=given.level / tracks, min_rows=enough)
    return quality_rules(given, tracks=tracks, min_rows=enough), predictions if asked else None
