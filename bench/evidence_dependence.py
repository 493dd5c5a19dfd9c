"""The evidence rule on rows that depend on one another: what inflation and longer blocks are good for."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter
from scipy.special import kolmogorov

from bench.evidence_rules import LEVEL, BoolArray
from bench.measure import show
from detectors.base import FloatArray, IntArray, Kind, Summary
from detectors.dependence import Dependence, dependence
from detectors.multiplicity import benjamini_hochberg, e_benjamini_hochberg
from detectors.ordered import OVERSHOOT
from detectors.sequential.budget import Budget
from detectors.sequential.detectors import EDetectors
from detectors.sequential.evalues import FeatureEvidence
from state.layout import numeric_bins
from state.spans import Spans, bounded

PHIS = (0.0, 0.3, 0.6, 0.9, 0.99)
COLUMNS = 20
ROWS = 500
REFERENCES = (20_000, 100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One column: its reference, what that tells of dependence, and its windows.

    Attributes
    ----------
    windows
        Rows per bin of consecutive windows of `ROWS` rows, shape ``(windows, bins)``.
    """

    reference: Summary
    known: Dependence
    windows: IntArray

    @property
    def warned(self) -> bool:
        """Whether the reference is too short to tell from how many rows on blocks are independent."""
        return self.known.independent_rows() is None

    @property
    def merged(self) -> int:
        """Windows in an evidence block; where no length is known, the longest that the reference measures."""
        wanted = self.known.independent_rows() or float(self.known.rows[-1])
        return max(1, math.ceil(wanted / ROWS))


def series(rng: np.random.Generator, phi: float, reference_rows: int, windows: int) -> Series:
    """Draw a first-order autoregression with standard normal marginals, reference first."""
    sample = autoregression(rng, phi, reference_rows)
    bins = numeric_bins(sample)
    place = np.searchsorted(bins.edges, sample, side="left")
    size = bins.edges.size + 1
    numbers = np.arange(reference_rows)
    chunks = bounded(Spans.over(numbers, reference_rows).count(numbers, place, bins.groups))
    later = np.searchsorted(bins.edges, autoregression(rng, phi, windows * ROWS), side="left")
    of_window = np.repeat(np.arange(windows), ROWS)
    counts = np.bincount(of_window * size + later, minlength=windows * size).reshape(windows, size)
    return Series(
        reference=Summary(
            kind=Kind.NUMERIC,
            counts=np.bincount(place, minlength=size),
            groups=bins.groups,
            continuous=True,
            edges=bins.edges,
        ),
        known=dependence(chunks, ordered=True),
        windows=counts,
    )


def autoregression(rng: np.random.Generator, phi: float, rows: int) -> FloatArray:
    """Draw rows with correlation ``phi^k`` at distance k, mean 0 and variance 1 from the first row on."""
    noise = rng.normal(size=rows) * math.sqrt(1 - phi * phi)
    noise[0] /= math.sqrt(1 - phi * phi)
    return np.asarray(lfilter([1.0], [1.0, -phi], noise))


def dependent(windows: int, seed: int) -> None:
    """Count false alarms for each strength of dependence and length of the reference."""
    budget = Budget(columns=COLUMNS, blocks=24 * 90, episodes=1)
    rows = []
    for reference_rows in REFERENCES:
        for phi in PHIS:
            rng = np.random.default_rng([seed, 3, reference_rows, int(1_000 * phi)])
            family = [series(rng, phi, reference_rows, windows) for _ in range(COLUMNS)]
            warned = sum(each.warned for each in family)
            naive, aware = window_alarms(family, aware=False), window_alarms(family, aware=True)
            rows.append(
                (
                    f"{phi:g}",
                    f"{reference_rows:,}",
                    f"{np.median([each.known.largest_inflation(ROWS) for each in family]):.1f}",
                    f"{np.median([each.merged for each in family]) * ROWS:,.0f}",
                    f"{warned} of {COLUMNS}",
                    f"{naive:,}",
                    f"{aware:,}",
                    f"{evidence_alarms(family, budget, inflated=False, lengthened=False):,}",
                    f"{evidence_alarms(family, budget, inflated=True, lengthened=False):,}",
                    f"{evidence_alarms(family, budget, inflated=True, lengthened=True):,}",
                )
            )
    show(
        f"{windows:,} windows of {ROWS} rows x {COLUMNS} columns AR(1), no drift; promised: at most "
        f"{budget.expected(windows):.2f} alarms",
        (
            "phi",
            "m",
            "lambda",
            "block rows",
            "warned",
            "BH",
            "BH, lambda",
            "evidence",
            "lambda",
            "lambda, long blocks",
        ),
        rows,
    )


def window_alarms(family: list[Series], *, aware: bool) -> int:
    """Windows in which Benjamini-Hochberg on KS p-values calls a column, with or without inflation."""
    p_values = []
    for each in family:
        m = each.reference.n
        effective = ROWS * m / (ROWS + m) / (each.known.inflation(ROWS) if aware else 1.0)
        gaps = each.windows / ROWS - each.reference.counts / m
        distances = np.abs(gaps.cumsum(axis=1)).max(axis=1)
        loss = OVERSHOOT / math.sqrt(each.reference.counts.size)
        p_values.append(np.asarray(kolmogorov(math.sqrt(effective) * distances + loss)))
    return sum(bool((benjamini_hochberg(each) <= LEVEL).any()) for each in np.array(p_values).T)


def evidence_alarms(family: list[Series], budget: Budget, *, inflated: bool, lengthened: bool) -> int:
    """Alarm moments of the e-detectors."""
    evidence = [
        FeatureEvidence.prepare(
            each.reference,
            family=len(family),
            reference_inflation=each.known.largest_inflation(each.reference.n) if inflated else 1.0,
        )
        for each in family
    ]
    detectors = EDetectors.of([each.weights for each in evidence])
    lengths = np.array([each.merged if lengthened else 1 for each in family])
    state, alarms = detectors.start(), 0
    windows = len(family[0].windows)
    for end in range(1, windows + 1):
        arrived: BoolArray = end % lengths == 0
        parts = []
        for column, each in enumerate(family):
            if not arrived[column]:
                parts.append(np.zeros(evidence[column].weights.size))
                continue
            counts = each.windows[end - lengths[column] : end].sum(axis=0)
            inflation = each.known.largest_inflation(int(counts.sum())) if inflated else 1.0
            parts.append(evidence[column].log_e(counts, inflation=inflation))
        state = detectors.update(state, np.concatenate(parts), arrived)
        alarmed = e_benjamini_hochberg(detectors.log_values(state), budget.log_threshold)
        state, alarms = detectors.restart(state, alarmed), alarms + bool(alarmed.any())
    return alarms
