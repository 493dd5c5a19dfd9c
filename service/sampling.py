"""Fewer points of a series than there are, with its extremes kept."""

from collections.abc import Sequence

Points = Sequence[tuple[int, float]]


def thinned(points: Points, most: int) -> list[tuple[int, float]]:
    """Keep the smallest and the largest value of each of equal runs of points, in order of time.

    A mean would hide the one window that went wrong, which is what people look for.

    Parameters
    ----------
    points
        In order of time.
    most
        Points to keep at most, 2 or more.

    Examples
    --------
    >>> thinned([(0, 1.0), (1, 9.0), (2, 2.0), (3, 3.0)], 2)
    [(0, 1.0), (1, 9.0)]
    """
    if len(points) <= most:
        return list(points)
    runs = most // 2
    kept: list[tuple[int, float]] = []
    for run in range(runs):
        part = points[len(points) * run // runs : len(points) * (run + 1) // runs]
        low, high = min(part, key=_value), max(part, key=_value)
        kept += [low] if low == high else sorted((low, high))
    return kept


def _value(point: tuple[int, float]) -> float:
    return point[1]
