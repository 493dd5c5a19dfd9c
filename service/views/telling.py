"""What a chart shows, in a sentence: for those who cannot see it, and for those in a hurry."""

from collections.abc import Callable, Sequence

from service.views.heat import LEVELS, HeatMap
from service.views.lines import Line
from service.views.sides import QUANTILES, Bands, Sides

MOST_NAMED = 4
"""Lines, bars and columns that are named; the table below a chart has all."""

Written = Callable[[int], str]
"""Writes a time."""

_MIDDLE = QUANTILES.index(0.5)


def told_lines(
    lines: Sequence[Line],
    written: Written,
    number: Callable[[float, str], str],
    limits: Sequence[tuple[str, float]] = (),
) -> str:
    """Say of each line where it is now, and between what it has moved; then what the first is held to."""
    told = []
    for line in lines[:MOST_NAMED]:
        if not line.points:
            continue
        (_begin, _first), (end, last) = line.points[0], line.points[-1]
        at, most = max(line.points, key=lambda point: point[1])
        least = min(value for _time, value in line.points)
        name = f"{line.title}: " if len(lines) > 1 else ""
        told.append(
            f"{name}{number(last, line.unit)} on {written(end)}; least {number(least, line.unit)}, "
            f"most {number(most, line.unit)} on {written(at)}."
        )
    if not told:
        return "Nothing was measured."
    if len(lines) > MOST_NAMED:
        told.append(f"{len(lines) - MOST_NAMED} more lines.")
    if limits:
        levels = ", ".join(f"{name} {number(value, lines[0].unit)}" for name, value in limits)
        told.append(f"Held against: {levels}.")
    return " ".join(told)


def told_sides(found: Sides) -> str:
    """Name the bars that differ most."""
    rows = sorted(
        zip(found.labels, found.reference, found.current, strict=True), key=lambda row: -abs(row[2] - row[1])
    )
    named = [f"{label}: {old:.1%} before, {new:.1%} now" for label, old, new in rows[:3] if old != new]
    if not named:
        return "Both sides are alike."
    return f"What differs most: {'; '.join(named)}."


def told_bands(found: Bands, number: Callable[[float, str], str]) -> str:
    """Say where the middle and the outer quantiles are now, and where they are in the reference."""
    now, before = ([side[place] for place in (_MIDDLE, 0, -1)] for side in (_last(found), found.reference))
    texts = [
        f"{number(middle, '')} (5 to 95 %: {number(low, '')} to {number(high, '')})"
        for middle, low, high in (now, before)
    ]
    return f"The median is {texts[0]}, in the reference {texts[1]}."


def told_heat(found: HeatMap, written: Written) -> str:
    """Name the columns in drift in the last window that is shown, the worst first."""
    if not found.ends:
        return "No window is shown."
    standing = [
        (levels[-1], name) for name, levels in zip(found.features, found.levels, strict=True) if levels[-1]
    ]
    told = f"{len(found.features)} columns to {written(found.ends[-1])}"
    if not standing:
        return f"{told}; none is in drift in the last window."
    worst = sorted(standing, key=lambda each: -each[0])
    named = ", ".join(f"{name} ({LEVELS[level]})" for level, name in worst[:MOST_NAMED])
    more = f" and {len(worst) - MOST_NAMED} more" if len(worst) > MOST_NAMED else ""
    return f"{told}; in drift in the last window: {named}{more}."


def _last(found: Bands) -> list[float]:
    return [values[-1] for values in found.values]
