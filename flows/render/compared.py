"""The table of a comparison of two files."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from detectors.tool_scores import ToolScore
from detectors.verdicts import Verdict
from flows.compare_columns import ComparedColumn, LimitedScore
from flows.compare_files import ComparedInput, Comparison
from flows.infer import LeftOut
from flows.render.checks import check_text
from flows.render.grid import Cell, Field, Row, grid, note_lines
from flows.render.styles import severity_cell, verdict_cell
from flows.render.words import NOTHING, count_text, effect_text, moved_text, number_text, p_text, share_text

_FIELDS = (
    Field(title="column", least=10),
    Field(title="verdict"),
    Field(title="severity", leaves=1),
    Field(title="test", leaves=4),
    Field(title="statistic", right=True, leaves=6),
    Field(title="p", right=True, leaves=5),
    Field(title="q", right=True, leaves=3),
    Field(title="effect", right=True),
    Field(title="mean or share", leaves=2),
)


def comparison_lines(found: Comparison, width: int) -> Iterator[Text]:
    """Write a comparison for a terminal of `width` cells."""
    yield from _input_lines("baseline", found.baseline, width)
    yield from _input_lines("current", found.current, width)
    yield Text()
    yield grid(_FIELDS, [_row(column) for column in found.columns], width)
    yield Text()
    yield _verdict_line(found.columns)


def left_out_lines(left_out: Sequence[LeftOut], width: int) -> Iterator[Text]:
    """Say which fields are not compared, grouped by the reason."""
    reasons: dict[str, list[str]] = {}
    for item in left_out:
        reasons.setdefault(item.reason, []).append(item.name or "(no name)")
    for reason, names in reasons.items():
        yield from note_lines(f"left out: {', '.join(names)} ({reason})", width, indent=1)


def _input_lines(what: str, found: ComparedInput, width: int) -> Iterator[Text]:
    files = found.files[0] if len(found.files) == 1 else f"{len(found.files)} files"
    line = f"{what:<9} {files}: {count_text(found.rows, 'row')}"
    refused = sum(found.refused.values())
    if refused:
        line += (
            f", {refused:,} refused ({', '.join(f'{n:,} {reason}' for reason, n in found.refused.items())})"
        )
    yield from note_lines(line, width, indent=1, style="yellow" if refused else "")


def _row(found: ComparedColumn) -> Row:
    notable = found.verdict in (Verdict.DRIFT, Verdict.SUSPECT)
    said = [] if found.limited is None else [limited_text(found.limited)]
    said += [tool_text(found.tool_scores)] if found.tool_scores else []
    if notable and found.contributors:
        said.append(", ".join(moved_text(each) for each in found.contributors[:3]))
    if notable and found.new_categories:
        said.append(f"new: {', '.join(found.new_categories[:3])}")
    said += [f"violates {check_text(check)}" for check in found.checks]
    before, now = found.baseline.missing_share, found.current.missing_share
    if before or now:
        said.append(f"missing {share_text(before)} → {share_text(now)}")
    if found.current.non_finite or found.baseline.non_finite:
        said.append(f"not finite {found.baseline.non_finite:,} → {found.current.non_finite:,}")
    return Row(
        (
            found.column,
            verdict_cell(found.verdict),
            severity_cell(found.severity),
            Cell(found.test, "dim"),
            number_text(found.statistic),
            p_text(found.p_value),
            p_text(found.q_value),
            effect_text(found.effect),
            before_and_now(found),
        ),
        note="; ".join(said),
    )


def limited_text(found: LimitedScore) -> str:
    """Say a score and the limit of its own.

    Examples
    --------
    >>> limited_text(LimitedScore(method="psi", score=0.03127, limit=0.1, source="given"))
    'psi 0.03127, at most 0.1 (given)'
    """
    value = f"{found.method} {number_text(found.score)}"
    if found.limit is None:
        return f"{value} has no limit, p-values decide ({found.source})"
    return f"{value}, at most {number_text(found.limit)} ({found.source})"


def tool_text(scores: Sequence[ToolScore]) -> str:
    """Say what a tool itself makes of a column.

    Examples
    --------
    >>> psi = ToolScore(tool="Frouros", score="psi", value=0.31, limit=0.1, decides=True, drifted=True)
    >>> tool_text([psi])
    'Frouros itself: psi 0.31 (limit 0.1, drift)'
    """
    said = []
    for each in scores:
        verdict = "drift" if each.drifted else "no drift"
        limit = "" if each.limit is None else f" (limit {number_text(each.limit)}, {verdict})"
        said.append(f"{each.score} {number_text(each.value)}{limit}")
    return f"{scores[0].tool} itself: {', '.join(said)}"


def before_and_now(found: ComparedColumn) -> str:
    """Write both means, or both shares of the category that moved most (which the note of a drift names)."""
    if found.baseline.mean is not None and found.current.mean is not None:
        return f"{number_text(found.baseline.mean)} → {number_text(found.current.mean)}"
    if not found.contributors:
        return NOTHING
    first = found.contributors[0]
    return f"{share_text(first.reference)} → {share_text(first.current)}"


def _verdict_line(columns: Sequence[ComparedColumn]) -> Text:
    drifted = [column for column in columns if column.verdict is Verdict.DRIFT]
    asked = count_text(len(columns), "column")
    violated = sum(bool(column.checks) for column in columns)
    verb = "violates" if violated == 1 else "violate"
    more = f"; {violated} {verb} a check" if violated else ""
    if not drifted:
        return Text(f" No drift in {asked}{more}.", "bold yellow" if violated else "bold green")
    return Text(f" Drift in {len(drifted)} of {asked}{more}.", "bold red")
