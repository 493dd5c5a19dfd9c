"""What an examination found, for people."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from flows.doctor.findings import Finding, Health
from flows.render.grid import note_lines
from flows.render.words import count_text

_SIGNS = {
    Health.OK: ("✓", "green"),
    Health.WARNING: ("!", "yellow"),
    Health.PROBLEM: ("✗", "red"),
}


def finding_lines(findings: Sequence[Finding], width: int) -> Iterator[Text]:
    """List findings, each with what to do below it, and what they come to."""
    room = max((len(found.area) for found in findings), default=0)
    for found in findings:
        sign, style = _SIGNS[found.health]
        indent = room + 5
        first, *rest = note_lines(found.text, width, indent=indent, style="")
        yield Text.assemble(
            " ", (sign, style), " ", (found.area.ljust(room), "bold"), "  ", first.plain.lstrip()
        )
        yield from rest
        if found.advice:
            # In one piece, because it may be a command to copy.
            yield Text(" " * indent + found.advice, "cyan")
    yield Text()
    yield _summary(findings)


def _summary(findings: Sequence[Finding]) -> Text:
    problems = sum(found.health is Health.PROBLEM for found in findings)
    warnings = sum(found.health is Health.WARNING for found in findings)
    told = [
        count_text(count, word) for count, word in ((problems, "problem"), (warnings, "warning")) if count
    ]
    if not told:
        return Text(" Nothing is in the way of a run.", "green")
    return Text(f" {' and '.join(told)}.", "red" if problems else "yellow")
