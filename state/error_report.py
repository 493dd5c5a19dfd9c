"""From the evidence of the column of errors to its episodes, beside the windows of the other columns."""

from collections.abc import Iterable

from state.alarms import BlockEvidence
from state.report import Output, Report
from state.scoring import Evidence
from state.stores.base import Point, StoredEvent


class ErrorReport(Report):
    """A report that tells of its column alone.

    Its windows are those in which labels became known. What is told of a window as a whole would be taken for
    what the other columns have of the window of the same time, and is left out.
    """

    def add(self, evidence: Iterable[Evidence | BlockEvidence]) -> list[Output]:
        """Take evidence; return drifts, their episodes, and the points of the column."""
        return [output for output in super().add(evidence) if _of_column(output)]


def _of_column(output: Output) -> bool:
    if isinstance(output, Point):
        return bool(output.key.feature)
    return not isinstance(output, StoredEvent) or output.feature is not None
