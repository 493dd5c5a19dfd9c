"""The section `detection`: what makes a drift."""

from typing import Annotated

import msgspec

from detectors.multiplicity import Correction
from detectors.registry import BY_DEFAULT
from detectors.sequential.detectors import Recursion
from detectors.verdicts import Rule, Rules
from flows.config_values import ConfigError
from flows.presets import Preset
from flows.sections.base import Positive, Section, Share


class BudgetConfig(Section, frozen=True):
    """False alarms of a model that are accepted: `episodes` in a span of event time, `every`."""

    episodes: Annotated[float, msgspec.Meta(gt=0.0)] = 1.0
    every: str | None = None


class EvidenceConfig(Section, frozen=True):
    """Blocks of rows that evidence over time is made of, and how it is kept."""

    rows: Positive = 500
    span: str | None = None
    detector: Recursion = Recursion.SR
    risk: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.05


class LimitConfig(Section, frozen=True):
    """A score and its limit; `options` are those of the kind."""

    method: str = "psi"
    kind: str = "history"
    options: dict[str, bool | int | float | str] = msgspec.field(default_factory=dict)


class ThresholdConfig(LimitConfig, frozen=True):
    """The same for the rule `threshold`, with another one for categorical columns where one is wanted."""

    categorical: LimitConfig | None = None


class DetectionConfig(Section, frozen=True):
    """What makes a drift."""

    preset: Preset = Preset.CALIBRATED
    rule: Rule = Rule.EVIDENCE
    budget: BudgetConfig = BudgetConfig()
    evidence: EvidenceConfig = EvidenceConfig()
    threshold: ThresholdConfig = ThresholdConfig()
    detectors: tuple[str, ...] = BY_DEFAULT
    effect_level: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.1
    false_discovery_rate: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.05
    correction: Correction = Correction.BENJAMINI_HOCHBERG
    min_rows: Positive = 50
    min_effect: Annotated[float, msgspec.Meta(ge=0.0)] = 0.02
    medium: Annotated[float, msgspec.Meta(gt=0.0)] = 0.1
    high: Annotated[float, msgspec.Meta(gt=0.0)] = 0.25
    drift_share: Share = 0.5


def checked_rules(section: DetectionConfig) -> Rules:
    """Check the section and turn it into rules.

    Raises
    ------
    ConfigError
        A drift would be of high severity before it is of medium.
    """
    if section.medium > section.high:
        raise ConfigError(
            f"`detection.medium`: found {section.medium}, wanted at most `detection.high` ({section.high})"
        )
    return Rules(
        rule=section.rule,
        effect_level=section.effect_level,
        false_discovery_rate=section.false_discovery_rate,
        correction=section.correction,
        min_rows=section.min_rows,
        min_effect=section.min_effect,
        medium=section.medium,
        high=section.high,
        drift_share=section.drift_share,
    )
