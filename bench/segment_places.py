"""How often a drift is said to be where it was put: in a segment, in the traffic, everywhere, or nowhere."""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from bench.measure import show
from detectors.base import FloatArray, IntArray, Kind, Summary
from detectors.segments import SegmentReadings, Where, compare_segments

REFERENCE_ROWS = 50_000
MIN_ROWS = 500
BINS = 30
GROUPS: IntArray = np.repeat(np.arange(10), 3)
EDGES: FloatArray = ndtri(np.arange(1, BINS) / BINS)

USUAL = (0.3, 0.2, 0.12, 0.1, 0.08, 0.06, 0.05, 0.04, 0.05)
"""Shares of nine segments of the traffic."""
UNUSUAL = (0.2, 0.15, 0.12, 0.3, 0.08, 0.05, 0.05, 0.02, 0.03)
"""The fourth sends three times as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A drift: traffic of the window, means of the segments before and after, and what is to be said."""

    name: str
    traffic: Sequence[float] = USUAL
    before: Sequence[float] = (0.0,) * 9
    after: Sequence[float] = (0.0,) * 9
    where: Where | None = None
    named: tuple[int, ...] | None = None


_UNLIKE = (0, 0, 0, 1.5, 0, 0, 0, 0, 0)
PLACES = (
    Place(name="a fifth of it by 1 sd", after=(0, 1, *[0] * 7), where=Where.SEGMENTS, named=(1,)),
    Place(name="a fifth of it by .5 sd", after=(0, 0.5, *[0] * 7), where=Where.SEGMENTS, named=(1,)),
    Place(name="all of it by .3 sd", after=(0.3,) * 9, where=Where.EVERYWHERE, named=()),
    Place(name="the traffic", traffic=UNUSUAL, before=_UNLIKE, after=_UNLIKE, where=Where.MIX),
    Place(name="nothing", before=_UNLIKE, after=_UNLIKE, named=()),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Count for each place and number of rows; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the windows")
    given = parser.parse_args(arguments)
    windows = 30 if given.quick else 300
    rows = []
    for place in PLACES:
        for size in (1_000, 3_000, 10_000, 50_000):
            said, effect = counted(place, size, windows)
            rows.append(
                (
                    place.name,
                    f"{size:,}",
                    f"{effect:.3f}",
                    *(f"{said[kind] / windows:.0%}" for kind in ("right", "nothing said", "wrong")),
                )
            )
    show(
        f"What drifts, of nine segments; {windows} windows each",
        ("", "rows", "effect", "right", "nothing said", "wrong"),
        rows,
    )


def counted(place: Place, rows: int, windows: int) -> tuple[Counter[str], float]:
    """Return how many windows were told right, wrong and not at all, and their mean effect."""
    said, effect = Counter[str](), 0.0
    for seed in range(windows):
        rng = np.random.default_rng(seed)
        reference = drawn(rng, REFERENCE_ROWS, USUAL, place.before)
        current = drawn(rng, rows, place.traffic, place.after)
        whole = Summary(kind=Kind.NUMERIC, counts=reference.sum(axis=0), groups=GROUPS, continuous=True)
        found = compare_segments(whole, reference, current, min_rows=MIN_ROWS)
        said[_verdict(place, found)] += 1
        effect += (found.effect or 0.0) / windows
    return said, effect


def _verdict(place: Place, found: SegmentReadings) -> str:
    if found.where is place.where and place.named in (None, found.named):
        return "right"
    return "nothing said" if found.where is None else "wrong"


def drawn(rng: np.random.Generator, rows: int, traffic: Sequence[float], means: Sequence[float]) -> IntArray:
    """Rows per segment and bin, where each segment has a normal law of its own."""
    segment = rng.choice(len(traffic), rows, p=traffic)
    bins = np.searchsorted(EDGES, rng.normal(np.asarray(means)[segment]))
    return np.bincount(segment * BINS + bins, minlength=len(traffic) * BINS).reshape(-1, BINS)


if __name__ == "__main__":
    main()
