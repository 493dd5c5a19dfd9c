"""The section `detection`: what makes a drift."""

from typing import Annotated

import msgspec

from detectors.multiplicity import Correction
from detectors.registry import BY_DEFAULT
from detectors.sequential.detectors import Recursion
from detectors.verdicts import Rule, Rules
from flows.config_values import ConfigError
from flows.preset_names import Preset
from flows.presets import PRESETS
from flows.sections.base import Positive, Section, Share


class BudgetConfig(Section, frozen=True):
    """False alarms of a model that are accepted: `episodes` in a span of event time, `every`.

    Attributes
    ----------
    episodes
        false alarms of the model to put up with, on average, in `every`; less than 1 is allowed
    every : `90d`, or `1000000 rows`
        the span of event time the budget is for
    """

    episodes: Annotated[float, msgspec.Meta(gt=0.0)] = 1.0
    every: str | None = None


class EvidenceConfig(Section, frozen=True):
    """Blocks of rows that evidence over time is made of, and how it is kept.

    Attributes
    ----------
    rows
        rows of an evidence block at least; a column whose rows depend on each other for longer takes
        several blocks at once
    span : one pane
        event time that a block spans at least; longer blocks need less evidence each, and find sudden
        drifts later
    detector
        how evidence adds up: `e-sr` sums over all moments at which drift may have begun, `e-cusum`
        takes the largest
    risk
        chance, over the draw of the reference, that the reference's own error is larger than evidence
        allows for
    """

    rows: Positive = 500
    span: str | None = None
    detector: Recursion = Recursion.SR
    risk: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 0.05


class ScoreLimitConfig(Section, frozen=True):
    """A score and its limit.

    Attributes
    ----------
    method
        the detector whose score has a limit
    kind
        [which limit](thresholds.md): `constant`, `history`, `ewma`, `reference`, `chunks`, or one of a
        plug-in
    options : those of the kind
        such as `{windows: 48, sigmas: 3}`
    """

    method: str = "psi"
    kind: str = "history"
    options: dict[str, bool | int | float | str] = msgspec.field(default_factory=dict)


class ThresholdConfig(ScoreLimitConfig, frozen=True):
    """The same for the rule `threshold`.

    Attributes
    ----------
    categorical : as above
        another one for categorical columns
    """

    categorical: ScoreLimitConfig | None = None


class DetectionConfig(Section, frozen=True):
    """What makes a drift.

    Attributes
    ----------
    preset
        whose rules are followed: `calibrated`, `ks-classic`, `psi-classic`, `evidently`, `nannyml`,
        `alibi` or `sagemaker`; [settings](presets.md) that other keys of the file overrule
    rule
        what opens an episode: `evidence` over time, under the budget below; `window`, the q-value of
        a single window; or `threshold`, a score above a limit of its own. Only the first promises
        anything over time
    detectors : `[ks, chi2, psi, js, wasserstein, mean_shift]`
        [which detectors](detectors.md) measure every window, plug-ins among them; those that decide
        (`ks`, `chi2`, `psi`, `mean_shift`) do in any case. Build the reference again after adding one
    effect_level
        chance of taking an effect of exactly `min_effect` for one that matters; with 1 every effect
        matters
    false_discovery_rate
        Benjamini-Hochberg level over the columns of a window
    correction
        how p-values become q-values: also `bonferroni` (the level then bounds the chance of any false
        call in a window), or `none`
    min_rows
        with fewer values in a window a column is `insufficient`
    min_effect
        largest PSI that does not matter: only an effect shown to be larger is a drift, others are
        `suspect`
    medium
        debiased PSI from which a drift is of medium severity
    high
        the same of high severity
    drift_share
        share of drifting columns from which the whole window counts as drifted
    """

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


def preset_detection(preset: Preset) -> DetectionConfig:
    """Return the section of a file that names a preset and nothing else."""
    return msgspec.convert({"preset": preset, **PRESETS[preset]}, DetectionConfig)


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
