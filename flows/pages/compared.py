"""The page of a comparison: what drifted, a table to sort, and both sides of every column."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from detectors.multiplicity import Correction
from detectors.verdicts import Rule, Rules
from flows.compare_columns import ComparedColumn
from flows.compare_files import Comparison
from flows.infer import LeftOut
from flows.pages.charts import histogram_svg
from flows.pages.page import drawing, filled_page
from flows.render.checks import limit_text, value_text
from flows.render.compared import before_and_now, limited_text, tool_text
from flows.render.words import moved_text, share_text

_RANKS = {"high": 0, "medium": 1, "low": 2, "suspect": 3, "ok": 4, "insufficient": 5}


def comparison_page(
    found: Comparison, left_out: Sequence[LeftOut], *, on_drawn: Callable[[], None] = lambda: None
) -> str:
    """Write a comparison as one HTML file that loads nothing.

    Parameters
    ----------
    on_drawn
        Called after each column's chart.

    Raises
    ------
    PagesMissingError
        The extra `report` is not installed.
    """
    charts = {}
    for column in found.columns:
        charts[column.column] = drawing(_chart(column))
        on_drawn()
    values = {
        "found": found,
        "left_out": left_out,
        "promise": _promise(found.rules),
        "violations": [row for column in found.columns for row in _violations(column)],
        "drifted": sum(column.severity is not None for column in found.columns),
        "ranks": _RANKS,
        "charts": charts,
    }
    filters: dict[str, Callable[..., str]] = {
        "moved": before_and_now,
        "told": _told,
        "held": limited_text,
        "itself": tool_text,
    }
    return filled_page("compare.html.j2", values, filters=filters)


def extremes(column: ComparedColumn) -> tuple[float | None, float | None]:
    """Return the smallest and the largest value of both sides; None for categories."""
    sides = (column.baseline, column.current)
    lows = [side.minimum for side in sides if side.minimum is not None]
    highs = [side.maximum for side in sides if side.maximum is not None]
    return min(lows, default=None), max(highs, default=None)


def _chart(column: ComparedColumn) -> str:
    low, high = extremes(column)
    return histogram_svg(column.histogram, low=low, high=high)


def _told(column: ComparedColumn) -> str:
    """Say what moved most, whether it is called a drift or not."""
    return ", ".join(moved_text(each) for each in column.contributors) or "Nothing to compare."


def _promise(rules: Rules) -> str:
    """Say what a call of a drift means."""
    if rules.rule is Rule.THRESHOLD:
        return "A drift is a score above its limit; nothing is promised about how often there is none."
    level = share_text(rules.false_discovery_rate)
    said = {
        Correction.BENJAMINI_HOCHBERG: f"Of the columns called drift, at most {level} are expected to be "
        "called wrongly (Benjamini-Hochberg)",
        Correction.BONFERRONI: f"The chance of any wrong call is at most {level} (Bonferroni)",
        Correction.NONE: f"Each column without drift is called with a chance of {level}",
    }[rules.correction]
    if rules.effect_level >= 1:
        return f"{said}; every effect matters."
    return f"{said}, and an effect up to a PSI of {rules.min_effect} does not matter."


def _violations(column: ComparedColumn) -> Iterator[Mapping[str, str]]:
    for check in column.checks:
        yield {
            "column": column.column,
            "check": check.name,
            "detail": check.detail,
            "value": value_text(check.name, check.value),
            "limit": limit_text(check.name, check.lower, check.upper, check.value),
            "baseline": value_text(check.name, check.reference),
        }
