"""Limits of a score from the scores of the reference's own chunks."""

from dataclasses import dataclass, field
from math import ceil
from typing import ClassVar
from weakref import WeakKeyDictionary

import numpy as np

from detectors.base import Detector, FloatArray, IntArray, Kind, Summary
from detectors.calibration import Calibration
from detectors.group_statistics import GROUP_STATISTICS
from detectors.thresholds import Limit, State, WindowScore, check_option

BY_GROUPS = frozenset({"chi2", *GROUP_STATISTICS})
"""Detectors that read the coarse groups alone: all that is known of a chunk."""

FEWEST_CHUNKS = 10
"""Chunks below which their largest score says next to nothing."""

_PAIR = 2
"""Chunks below which a standard deviation does not exist."""

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
        scores = _known_scores(self._scores, found, rest=True, fewest=FEWEST_CHUNKS)
        if isinstance(scores, Limit):
            return scores
        rank = ceil((len(scores) + 1) * self.quantile)
        if rank > len(scores):
            said = f"largest of {len(scores)} reference chunks, too few for quantile {self.quantile:g}"
            return Limit(value=float(scores[-1]), source=said)
        said = f"quantile {self.quantile:g} of {len(scores)} reference chunks"
        return Limit(value=float(scores[rank - 1]), source=said)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkBand:
    """Mean plus standard deviations of the scores of consecutive chunks, each against the whole reference.

    Attributes
    ----------
    sigmas
        Standard deviations (with n degrees of freedom) above the mean.
    least
        Chunks below which there is no limit.
    """

    name: ClassVar[str] = "chunks"
    sigmas: float = 3.0
    least: int = FEWEST_CHUNKS
    _scores: _Scores = field(default_factory=WeakKeyDictionary, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_option("sigmas", self.sigmas, wanted="a number above 0", fits=self.sigmas > 0)
        check_option("least", self.least, wanted="a whole number of 2 or more", fits=self.least >= _PAIR)

    def start(self) -> State:
        """Return nothing: it remembers nothing."""
        return ()

    def judge(self, state: State, found: WindowScore) -> tuple[Limit, State]:
        """Return the band over chunks of about the window's rows."""
        scores = _known_scores(self._scores, found, rest=False, fewest=self.least)
        if isinstance(scores, Limit):
            return scores, state
        said = f"mean + {self.sigmas:g} standard deviations of {len(scores)} reference chunks"
        return Limit(value=float(scores.mean() + self.sigmas * scores.std()), source=said), state


def _known_scores(kept: _Scores, found: WindowScore, *, rest: bool, fewest: int) -> FloatArray | Limit:
    """Scores of disjoint chunks of about the window's rows, increasing; or why there are none.

    Parameters
    ----------
    rest
        As for `chunk_scores`.
    fewest
        Chunks below which there are none.
    """
    known, name = found.reference.calibration, found.detector.name
    if name not in BY_GROUPS:
        said = f"none: chunks are counted by coarse group, and {name} reads more than that"
        return Limit(value=None, source=said)
    if known is None or known.chunks is None:
        return Limit(value=None, source="none: the reference was built without counting its spans")
    spans = max(round(found.n * len(known.chunks) / max(int(known.chunks.sum()), 1)), 1)
    if found.n * len(known.chunks) < _SMALLEST * int(known.chunks.sum()):
        return Limit(value=None, source="none: the window has fewer rows than a span of the reference")
    by_spans = kept.setdefault(known, {})
    if (name, spans) not in by_spans:
        kind = found.reference.kind
        by_spans[name, spans] = chunk_scores(known.chunks, found.detector, kind, spans, rest=rest)
    scores = by_spans[name, spans]
    if len(scores) >= fewest:
        return scores
    said = f"none: {len(scores)} reference chunks of the window's rows, {fewest} are wanted"
    return Limit(value=None, source=said)


def chunk_scores(
    chunks: IntArray, detector: Detector, kind: Kind, spans: int, *, rest: bool = True
) -> FloatArray:
    """Score disjoint chunks of a reference.

    Parameters
    ----------
    chunks
        Rows per group in consecutive spans, shape ``(spans, groups)``.
    spans
        How many make a chunk; what is left at the end is no chunk.
    rest
        Whether each is held against all other rows; otherwise against all rows, itself among them.

    Returns
    -------
    FloatArray
        Absolute scores in increasing order; chunks that cannot be scored are left out.
    """
    whole = chunks.sum(axis=0)
    starts = range(0, len(chunks) - spans + 1, spans)
    joined = (chunks[start : start + spans].sum(axis=0) for start in starts)
    readings = (
        detector.compare(_summary(whole - each if rest else whole, kind), _summary(each, kind))
        for each in joined
    )
    return np.sort([abs(found.score) for found in readings if found.score is not None])


def _summary(counts: IntArray, kind: Kind) -> Summary:
    return Summary(kind=kind, counts=counts, groups=np.arange(counts.size), continuous=False)
