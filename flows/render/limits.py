"""The limits of a configuration as a page for the terminal."""

from collections.abc import Iterator, Mapping

import msgspec
from rich.text import Text

from detectors.multiplicity import Correction
from detectors.verdicts import Rule, Rules
from flows.preset_names import Preset
from flows.render.grid import Cell, Field, Row, grid, note_lines
from flows.render.words import NOTHING, number_text, share_text
from state.durations import Axis, format_span
from state.quality import QualityCheck

_FIELDS = (
    Field(title="column", least=10),
    Field(title="test"),
    Field(title="rows per independent one", right=True, leaves=3),
    Field(title="rows per block", right=True),
    Field(title="limit of the test", right=True, leaves=2),
    Field(title="limit of PSI", right=True, leaves=1),
)

_CHECKED = {
    QualityCheck.MISSING_SHARE: "missing",
    QualityCheck.NON_FINITE_SHARE: "not finite",
    QualityCheck.ZERO_SHARE: "zero",
    QualityCheck.OUT_OF_RANGE_SHARE: "out of range",
    QualityCheck.NEW_SHARE: "new",
    QualityCheck.VANISHED_SHARE: "vanished",
}
_CHECKS = (
    Field(title="column", least=10),
    *(Field(title=title, right=True, leaves=6 - place) for place, title in enumerate(_CHECKED.values())),
)


class ColumnLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one column.

    Attributes
    ----------
    inflation
        Rows of a window that say as much as one independent row.
    known
        Whether the reference is long enough to know that; None where it was built without counting it.
    block_rows
        Rows that one answer of the sequential evidence takes.
    limits
        By detector: the score that a share `level` of windows exceeds without drift; None where unknown.
    checks
        By check of data quality: the largest value that is no violation; None where that side is not looked
        at. Empty where nothing is checked.
    """

    column: str
    test: str
    inflation: float
    known: bool | None
    block_rows: int
    limits: dict[str, float | None]
    checks: dict[str, float | None]


class ExplainedQuality(msgspec.Struct, frozen=True, kw_only=True):
    """Chance that a window violates any check, and any of one track, where nothing has changed, at most."""

    level: float
    of_a_track: float
    min_excess: float


class ExplainedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What ``config explain --json`` prints; thresholds of evidence are logarithms to base 10.

    Attributes
    ----------
    promise
        The budget in words.
    patience
        Evidence blocks to a false alarm, on average at least.
    lone_limit, joint_limit
        Evidence from which a column alarms alone, and with all others.
    block_rows, block_span
        What an evidence block holds at least; the span in the unit of the axis.
    rows, level
        Of the windows that the columns' limits are for, and the share of them above without drift.
    threshold
        What the rule `threshold` says.
    preset, from_preset
        Whose rules are followed, and the settings that come from there, by their path in the file.
    """

    model: str
    reference: str
    rules: Rules
    promise: str
    patience: float
    lone_limit: float
    joint_limit: float
    block_rows: int
    block_span: int
    rows: int
    level: float
    threshold: str
    preset: Preset
    from_preset: dict[str, object]
    axis: Axis
    quality: ExplainedQuality | None
    columns: tuple[ColumnLimits, ...]


def limit_lines(found: ExplainedConfig, width: int) -> Iterator[Text]:
    """Write the promise, what it turns into, and the limits of each column."""
    yield Text(f" {found.model}: limits with reference {found.reference}", "bold")
    for text in _paragraphs(found):
        yield Text()
        yield from note_lines(text, width, indent=1, style="")
    yield Text()
    yield grid(_FIELDS, [_row(column) for column in found.columns], width)
    if found.quality is not None:
        yield Text()
        yield from note_lines(_quality_text(found.quality, found.rows), width, indent=1, style="")
        yield Text()
        yield grid(_CHECKS, [_check_row(column) for column in found.columns], width)


def _quality_text(quality: ExplainedQuality, rows: int) -> str:
    return (
        f"Data quality: at most one window in {1 / quality.level:,.0f} violates a check where nothing has "
        f"changed (one in {1 / quality.of_a_track:,.0f} of each column). Below: the largest values that "
        f"are no violation in windows of {rows:,} rows; at least {quality.min_excess:.1%} above the "
        "reference."
    )


def _check_row(column: ColumnLimits) -> Row:
    return Row((column.column, *(_check_cell(column, check) for check in _CHECKED)))


def _check_cell(column: ColumnLimits, check: QualityCheck) -> str:
    return share_text(column.checks.get(check))


def _paragraphs(found: ExplainedConfig) -> Iterator[str]:
    if found.from_preset:
        settings = ", ".join(f"{path} {_plain(value)}" for path, value in found.from_preset.items())
        yield f"From the preset '{found.preset}': {settings}."
    yield from _rule_paragraphs(found)
    yield (
        f"Below: scores that {found.level:.0%} of windows of {found.rows:,} rows exceed without drift; one "
        "above is suspect at most."
    )


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_plain(inner)}" for key, inner in value.items()) + "}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _rule_paragraphs(found: ExplainedConfig) -> Iterator[str]:
    rules = found.rules
    matters = (
        f'An effect matters where "the PSI is at most {rules.min_effect:g}" has a p-value of at most '
        f"{rules.effect_level:g} in the window."
    )
    if rules.rule is Rule.EVIDENCE:
        yield f"Promised: {found.promise}."
        yield (
            f"A column drifts where its evidence has reached 10^{found.lone_limit:.1f} by itself (10^"
            f"{found.joint_limit:.1f} where all columns do) and its effect matters. Evidence grows with "
            f"blocks of at least {_block(found)}; a false alarm takes {found.patience:,.0f} of them on "
            f"average, or more. {matters}"
        )
    elif rules.rule is Rule.WINDOW:
        level = f"{rules.false_discovery_rate:g}"
        value = "p-value" if rules.correction is Correction.NONE else f"q-value ({rules.correction})"
        condition = matters if rules.effect_level < 1 else "Every effect matters."
        yield f"A column drifts where its {value} is at most {level} in a window. {condition}"
    else:
        yield f"A column drifts where {found.threshold}."


def _block(found: ExplainedConfig) -> str:
    span = format_span(found.block_span, found.axis)
    return span if found.axis is Axis.ROWS else f"{found.block_rows:,} rows and {span}"


def _row(column: ColumnLimits) -> Row:
    unsure = column.known is False
    inflation = Cell(NOTHING, "dim")
    if column.known is not None:
        inflation = Cell(f"{column.inflation:.1f}", "yellow" if unsure else "")
    note = ""
    if unsure:
        note = "the reference is too short to tell how far rows depend on each other; build a longer one"
    return Row(
        (
            column.column,
            Cell(column.test, "dim"),
            inflation,
            f"{column.block_rows:,}",
            number_text(column.limits.get(column.test)),
            number_text(column.limits.get("psi")),
        ),
        note=note,
    )
