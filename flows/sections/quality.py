"""Data quality: what is checked beside the distributions, and how sure a violation has to be."""

from typing import Annotated

import msgspec

from flows.sections.base import Section, Share
from state.quality import QualityRules


class QualityConfig(Section, frozen=True):
    """Checks of data quality: on by default, with limits from the reference and its sampling error."""

    enabled: bool = True
    level: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)] = 1e-4
    min_excess: Share = 0.01


def quality_rules(given: QualityConfig, *, tracks: int, min_rows: int) -> QualityRules | None:
    """Split the level of a window over its tracks (Bonferroni); None where nothing is to be checked.

    Parameters
    ----------
    tracks
        Columns that are watched, and tracks of whole records.
    """
    if not given.enabled:
        return None
    return QualityRules(level=given.level / tracks, min_excess=given.min_excess, min_rows=min_rows)
