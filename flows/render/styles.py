"""Colours of verdicts and severities, the same in every table."""

from detectors.verdicts import RANK, Severity, Verdict
from flows.render.grid import Cell
from flows.render.words import NOTHING

_SEVERITY = {Severity.HIGH: "bold red", Severity.MEDIUM: "yellow", Severity.LOW: "cyan"}
_VERDICT = {
    Verdict.OK: "green",
    Verdict.SUSPECT: "magenta",
    Verdict.INSUFFICIENT: "dim",
    Verdict.DRIFT: "red",
}
_WORDS = {Verdict.INSUFFICIENT: "too few"}

_ORDER = {Verdict.DRIFT: 0, Verdict.SUSPECT: 1, Verdict.OK: 2, Verdict.INSUFFICIENT: 3}


def severity_cell(severity: Severity | None) -> Cell:
    """Show a severity."""
    return Cell(NOTHING, "dim") if severity is None else Cell(str(severity), _SEVERITY[severity])


def verdict_cell(verdict: Verdict) -> Cell:
    """Show a verdict."""
    return Cell(_WORDS.get(verdict, str(verdict)), _VERDICT[verdict])


def severity_rank(severity: Severity | None) -> int:
    """Order severities, the worst first and none last."""
    return -RANK[severity]


def verdict_rank(verdict: Verdict) -> int:
    """Order verdicts, the one that asks for most attention first."""
    return _ORDER[verdict]
