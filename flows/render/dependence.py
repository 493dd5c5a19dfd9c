"""How rows of a reference depend on each other, in words."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from detectors.dependence import FEWEST_CHUNKS
from flows.render.words import NOTHING, count_text
from state.reference import FeatureReference
from state.spans import FEW_SPANS, FEWEST_ROWS

_NAMES = 4


class DependenceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the consecutive spans of one column show.

    Attributes
    ----------
    rows
        Of a window, where they come as they came in the reference.
    inflation
        Rows of such a window that say as much as one independent row.
    known
        Whether the reference is long enough to tell that.
    block_rows
        Rows from which neighbouring blocks are independent; None where the reference is too short to tell.
    rows_wanted
        Rows that a reference should have at least to tell both; None where this one does.
    """

    rows: int
    inflation: float
    known: bool
    block_rows: int | None
    rows_wanted: int | None


def dependence_facts(feature: FeatureReference, rows: int) -> DependenceFacts | None:
    """Gather what is known for windows of so many rows; None where the spans were not counted."""
    known = None if feature.calibration is None else feature.calibration.dependence
    if known is None:
        return None
    if not known.rows.size:
        # Too few rows with a value to say anything.
        wanted: int | None = FEW_SPANS * FEWEST_ROWS
    else:
        wanted = known.rows_wanted()
        if not known.known(rows):
            wanted = max(wanted or 0, FEWEST_CHUNKS * rows)
    return DependenceFacts(
        rows=rows,
        inflation=known.inflation(rows),
        known=known.known(rows),
        block_rows=known.independent_rows(),
        rows_wanted=wanted,
    )


def inflation_text(found: DependenceFacts | None) -> str:
    """Write the inflation; one that is not certain has a question mark."""
    if found is None:
        return NOTHING
    return f"{found.inflation:,.1f}" + ("" if found.known else "?")


def block_text(found: DependenceFacts | None) -> str:
    """Write the rows of independent blocks."""
    if found is None:
        return NOTHING
    return "?" if found.block_rows is None else f"{found.block_rows:,}"


def dependence_note(rows: int) -> str:
    """Explain both columns of a table."""
    return (
        f"inflation: rows that say as much as one independent row, in windows of {rows:,}; block: rows from "
        "which neighbouring blocks are independent; ?: the reference is too short to tell"
    )


def dependence_warnings(found: Mapping[str, DependenceFacts | None]) -> Iterator[str]:
    """Say for which columns a reference is too short, and what helps; nothing where it is long enough."""
    short = [(name, facts) for name, facts in found.items() if facts is not None and facts.rows_wanted]
    mute = [name for name, facts in short if not facts.known and facts.inflation == 1]
    if mute:
        yield (
            f"too few values to tell whether rows depend on each other in {_listed(mute)}: they are taken as "
            f"independent; {FEW_SPANS * FEWEST_ROWS:,} rows or more tell"
        )
    lasting = [(name, facts) for name, facts in short if name not in mute]
    if lasting:
        worst, facts = max(lasting, key=lambda each: each[1].inflation)
        wanted = max(facts.rows_wanted or 0 for _, facts in lasting)
        yield (
            f"rows depend on each other over longer than the reference can show in "
            f"{_listed([name for name, _ in lasting])} (in {worst}, {facts.inflation:,.0f} rows say as much "
            f"as one independent row): more false alarms may come than the budget allows; build it from "
            f"{wanted:,} rows or more in the order in which they came, over whole seasons, or raise "
            "`detection.evidence.rows`"
        )


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {count_text(rest, 'more', 'more')}" if rest > 0 else "")
