"""Numbers, times and histograms as people read them."""

import math
from collections.abc import Callable, Iterable, Sequence

from state.event_data import Contributor, Instant

NOTHING = "–"  # noqa: RUF001  # an en dash is how tables say that there is nothing
"""Stands where a figure does not exist."""

SMALLEST_P = 1e-16
"""P-values below are not told apart: no law holds so far out in its tail."""

_BARS = "▁▂▃▄▅▆▇█"
_THOUSAND, _MANY = 1_000, 1e7
_YEAR, _MINUTE = slice(0, 5), slice(0, 16)


def p_text(p_value: float | None) -> str:
    """Write a p-value or q-value.

    Examples
    --------
    >>> p_text(0.0312), p_text(2.5e-7), p_text(0.0)
    ('0.031', '3e-07', '<1e-16')
    """
    if p_value is None:
        return NOTHING
    if p_value < SMALLEST_P:
        return f"<{SMALLEST_P:.0e}"
    return f"{p_value:.0e}" if p_value < 0.001 else f"{p_value:.3f}"  # noqa: PLR2004  # what three digits show


def number_text(value: float | None) -> str:
    """Write a value of a column with about four digits.

    Examples
    --------
    >>> number_text(3200.53), number_text(0.28531), number_text(1.5e12)
    ('3,201', '0.2853', '1.5e+12')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if _THOUSAND <= abs(value) < _MANY:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def effect_text(effect: float | None) -> str:
    """Write an effect size with two digits behind the point, the last of which decides severities.

    Examples
    --------
    >>> effect_text(0.0213), effect_text(12.3)
    ('0.021', '12.3')
    """
    if effect is None:
        return NOTHING
    return f"{effect:.1f}" if effect >= 10 else f"{effect:.3f}"  # noqa: PLR2004  # three digits either way


def share_text(share: float | None) -> str:
    """Write a share in percent.

    Examples
    --------
    >>> share_text(0.1234), share_text(0.0), share_text(0.0002), share_text(0.62)
    ('12%', '0%', '<0.1%', '62%')
    """
    if share is None:
        return NOTHING
    if 0 < share < 0.001:  # noqa: PLR2004  # what one digit shows
        return "<0.1%"
    # Two digits: one behind the point where there would be one alone.
    return f"{share:.1%}" if 0 < share < 0.0995 or 0.9905 < share < 1 else f"{share:.0%}"  # noqa: PLR2004


def plain_text(text: str) -> str:
    r"""Replace what would end the line or command the terminal: names of values come from the data.

    Examples
    --------
    >>> plain_text("a\x1b[2Jb")
    'a�[2Jb'
    """
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def count_text(count: int, one: str, many: str | None = None) -> str:
    """Write a number of things.

    Examples
    --------
    >>> count_text(1, "row"), count_text(12_000, "row")
    ('1 row', '12,000 rows')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def bytes_text(size: float) -> str:
    """Write a number of bytes in decimal units, as disks are sold.

    Examples
    --------
    >>> bytes_text(812), bytes_text(56_300_000)
    ('812 B', '56.3 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if size < _THOUSAND:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= _THOUSAND
    return f"{size:.1f} TB"


def moment_text(instant: Instant | None) -> str:
    """Write a point in event time to the minute.

    Examples
    --------
    >>> moment_text("2026-01-19T06:00:00.000Z"), moment_text(12_000)
    ('2026-01-19 06:00', 'row 12,000')
    """
    if instant is None:
        return NOTHING
    if isinstance(instant, int):
        return f"row {instant:,}"
    return instant[_MINUTE].replace("T", " ")


def clock(instants: Iterable[Instant | None]) -> tuple[Callable[[Instant | None], str], str]:
    """Return how to write these points in time, and a note on what all of them share.

    Examples
    --------
    >>> write, note = clock(["2026-01-19T06:00:00.000Z", "2026-02-01T00:00:00.000Z"])
    >>> write("2026-01-19T06:00:00.000Z"), note
    ('01-19 06:00', '2026, UTC')
    """
    times = {instant for instant in instants if isinstance(instant, str)}
    years = {instant[_YEAR] for instant in times}
    if len(years) != 1:
        return moment_text, "UTC" if times else ""
    return (
        lambda instant: moment_text(instant)[5:] if isinstance(instant, str) else moment_text(instant),
        f"{min(years)[:-1]}, UTC",
    )


def spark(weights: Sequence[float]) -> str:
    """Draw weights as bars; the largest is a full one, and only 0 is blank.

    Examples
    --------
    >>> spark([0, 1, 2, 8])
    ' ▁▂█'
    """
    top = max(weights, default=0.0)
    if top <= 0:
        return " " * len(weights)
    return "".join(" " if w <= 0 else _BARS[max(math.ceil(w / top * len(_BARS)) - 1, 0)] for w in weights)


def moved_text(found: Contributor) -> str:
    """Write what a group of bins or categories held before and holds now.

    Examples
    --------
    >>> moved_text(Contributor(label="DE", reference=0.34, current=0.29, psi=0.01))
    'DE: 34% → 29%'
    """
    return f"{found.label}: {share_text(found.reference)} → {share_text(found.current)}"
