"""A limit of a score from the scores of the reference's own chunks."""

from dataclasses import dataclass, field
from math import ceil
from typing import ClassVar
from weakref import WeakKeyDictionary

import numpy as np

from detectors.base import Detector, FloatArray, IntArray, Kind, Summary
from detectors.calibration import Calibration
from detectors.thresholds import Limit, State, WindowScore, check_option

BY_GROUPS = frozenset({"chi2", "psi", "js"})
"""Detectors that read the coarse groups alone: all that is known of a chunk."""

FEWEST_CHUNKS = 10
"""Chunks below which their largest score says next to nothing."""

_SMALLEST = 0.75
"""Of a chunk's rows: a window with fewer scores higher by chance alone."""

_Scores = WeakKeyDictionary[Calibration, dict[tuple[str, int], FloatArray]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceChunks:
    """A quantile of the scores of consecutive chunks of the reference, each against all the others.

    Of K chunks it is the one whose rank is ``ceil((K + 1) quantile)``: a window exceeds it with probability
    ``1 - quantile`` at most where window and chunks can change places. Where K is too small for that rank it
    is the largest, and a window exceeds it with probability ``1 / (K + 1)``.

    Attributes
    ----------
    quantile
        Between 0 and 1, exclusive.

    References
    ----------
    Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World, 2.2.
    """

    name: ClassVar[str] = "reference"
    quantile: float = 0.99
    _scores: _Scores = field(default_factory=WeakKeyDictionary, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fits = 0 < self.quantile < 1
        check_option("quantile", self.quantile, wanted="a number between 0 and 1", fits=fits)

    def start(self) -> State:
        """Return nothing: it remembers nothing."""
        return ()

    def judge(self, state: State, found: WindowScore) -> tuple[Limit, State]:
        """Return the quantile over chunks of about the window's rows."""
        return self._limit(found), state

    def _limit(self, found: WindowScore) -> Limit:
        known = found.reference.calibration
        if found.detector.name not in BY_GROUPS:
            said = f"none: chunks are counted by coarse group, and {found.detector.name} reads more than that"
            return Limit(value=None, source=said)
        if known is None or known.chunks is None:
            return Limit(value=None, source="none: the reference was built without counting its spans")
        spans = round(found.n * len(known.chunks) / max(int(known.chunks.sum()), 1))
        if found.n * len(known.chunks) < _SMALLEST * int(known.chunks.sum()):
            return Limit(value=None, source="none: the window has fewer rows than a span of the reference")
        scores = self._chunk_scores(known, found.detector, found.reference.kind, max(spans, 1))
        if len(scores) < FEWEST_CHUNKS:
            said = f"none: {len(scores)} reference chunks of the window's rows, {FEWEST_CHUNKS} are wanted"
            return Limit(value=None, source=said)
        rank = ceil((len(scores) + 1) * self.quantile)
        if rank > len(scores):
            said = f"largest of {len(scores)} reference chunks, too few for quantile {self.quantile:g}"
            return Limit(value=float(scores[-1]), source=said)
        said = f"quantile {self.quantile:g} of {len(scores)} reference chunks"
        return Limit(value=float(scores[rank - 1]), source=said)

    def _chunk_scores(self, known: Calibration, detector: Detector, kind: Kind, spans: int) -> FloatArray:
        """Scores of disjoint chunks of so many spans, increasing."""
        kept = self._scores.setdefault(known, {})
        key = (detector.name, spans)
        if key not in kept:
            assert known.chunks is not None
            kept[key] = chunk_scores(known.chunks, detector, kind, spans)
        return kept[key]


def chunk_scores(chunks: IntArray, detector: Detector, kind: Kind, spans: int) -> FloatArray:
    """Score disjoint chunks of a reference, each against all its other rows.

    Parameters
    ----------
    chunks
        Rows per group in consecutive spans, shape ``(spans, groups)``.
    spans
        How many make a chunk; what is left at the end is no chunk.

    Returns
    -------
    FloatArray
        Absolute scores in increasing order; chunks that cannot be scored are left out.
    """
    whole = chunks.sum(axis=0)
    starts = range(0, len(chunks) - spans + 1, spans)
    joined = (chunks[start : start + spans].sum(axis=0) for start in starts)
    readings = (detector.compare(_summary(whole - each, kind), _summary(each, kind)) for each in joined)
    return np.sort([abs(found.score) for found in readings if found.score is not None])


def _summary(counts: IntArray, kind: Kind) -> Summary:
    return Summary(kind=kind, counts=counts, groups=np.arange(counts.size), continuous=False)
