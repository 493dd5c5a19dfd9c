"""driftflow's own answers to the windows that other tools are asked about, by the code of its streams."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bench.peers_case import STATIONARY, Answers, Case, Rows
from bench.peers_scoring import Flags
from detectors.base import FloatArray, Summary
from detectors.multiplicity import e_benjamini_hochberg, family_q_values
from detectors.registry import detector
from detectors.sequential.budget import Budget
from detectors.sequential.detectors import EDetectors
from detectors.sequential.evalues import FeatureEvidence
from detectors.significance import primary_test
from detectors.verdicts import Rules, Verdict
from state.layout import categories, numeric_bins
from state.reference import Bins
from state.sketches.numeric import NumericBins

HOURS = 24 * 90
"""Hourly windows in 90 days, the period of the budget that the program has unless told otherwise."""

_ONE_SPAN = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """One column: its reference, and the windows of each phase over the reference's bins."""

    reference: Summary
    phases: Mapping[str, list[Summary]]

    @classmethod
    def of(cls, case: Case, place: int) -> Self:
        rows = case.reference[:, place]
        bins: Bins = numeric_bins(rows) if case.numeric else categories(Counter(_names(rows)))
        return cls(
            reference=_summary(bins, rows),
            phases={
                phase: [_summary(bins, window) for window in windows[:, :, place]]
                for phase, windows in case.phases.items()
            },
        )


def answers(case: Case) -> Iterator[tuple[str, Answers]]:
    """Answer by each rule.

    Yields
    ------
    rule, answers
        The test of each window with and without the smallest effect that matters, then evidence over time
        with a budget of one false alarm in as many blocks as there are windows without drift, and in 90 days
        of hourly ones.
    """
    columns = [_Column.of(case, place) for place in range(len(case.columns))]
    verdicts = {phase: _verdicts(columns, phase) for phase in case.phases}
    unlikely = {phase: np.isin(found, (Verdict.SUSPECT, Verdict.DRIFT)) for phase, found in verdicts.items()}
    yield "driftflow q <= .05", unlikely
    yield "driftflow q + effect", {phase: found == Verdict.DRIFT for phase, found in verdicts.items()}
    evidence = [FeatureEvidence.prepare(each.reference, family=len(columns)) for each in columns]
    log_e = {phase: _log_e(columns, evidence, phase) for phase in case.phases}
    detectors = EDetectors.of([each.weights for each in evidence])
    for blocks in (len(case.phases[STATIONARY]), HOURS):
        budget = Budget(columns=len(columns), blocks=blocks, episodes=1)
        yield f"driftflow c = {blocks:,}", _standing(detectors, log_e, budget)


def _verdicts(columns: Sequence[_Column], phase: str) -> NDArray[np.str_]:
    """Judge each window by itself, shape ``(windows, columns)``."""
    rules, effect = Rules(), detector("psi")
    found = []
    for windows in zip(*(each.phases[phase] for each in columns), strict=True):
        pairs = [(each.reference, window) for each, window in zip(columns, windows, strict=True)]
        p_values = [detector(primary_test(before)).compare(before, now).p_value for before, now in pairs]
        found.append(
            [
                rules.verdict(n=now.n, q_value=q_value, effect=effect.compare(before, now).debiased)
                for (before, now), q_value in zip(pairs, family_q_values(p_values), strict=True)
            ]
        )
    return np.array(found)


def _log_e(columns: Sequence[_Column], evidence: Sequence[FeatureEvidence], phase: str) -> FloatArray:
    """Take each window as one evidence block, shape ``(windows, components)``."""
    parts = [
        np.array([asked.log_e(window.counts) for window in each.phases[phase]])
        for each, asked in zip(columns, evidence, strict=True)
    ]
    return np.concatenate(parts, axis=1)


def _standing(detectors: EDetectors, log_e: Mapping[str, FloatArray], budget: Budget) -> Answers:
    """Say in which windows an alarm stands: its own block's or the one of the block before."""
    found: Answers = {}
    after = detectors.start()
    for phase, blocks in log_e.items():
        # Each drift begins with what the stationary windows, which come first, left behind.
        log_m, alarms = _run(detectors, after, blocks, budget)
        if phase == STATIONARY:
            after = log_m
        alarms[1:] |= alarms[:-1].copy()
        found[phase] = alarms
    return found


def _run(
    detectors: EDetectors, log_m: FloatArray, blocks: FloatArray, budget: Budget
) -> tuple[FloatArray, Flags]:
    everyone = np.ones(detectors.columns, dtype=np.bool_)
    alarms = []
    for log_e in blocks:
        log_m = detectors.update(log_m, log_e, everyone)
        alarms.append(e_benjamini_hochberg(detectors.log_values(log_m), budget.log_threshold))
        log_m = detectors.restart(log_m, alarms[-1])
    return log_m, np.array(alarms)


def _summary(bins: Bins, rows: Rows) -> Summary:
    (sketch,) = (
        bins.summarize(rows.astype(np.float64), _ONE_SPAN, _ONE_SPAN)
        if isinstance(bins, NumericBins)
        else bins.summarize(list(_names(rows)), _ONE_SPAN, _ONE_SPAN)
    )
    return bins.summary(sketch)


def _names(rows: Rows) -> list[str]:
    return [f"c{code}" for code in rows.tolist()]
