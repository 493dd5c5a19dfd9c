"""driftflow's own answers to the windows that other tools are asked about, by the code of its streams."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.peers_case import STATIONARY, Answers, Case, Rows
from detectors.base import Kind
from detectors.multiplicity import family_q_values
from detectors.sequential.budget import Budget
from detectors.sequential.detectors import Recursion
from detectors.sequential.evalues import RISK
from detectors.verdicts import Findings, Rule, Rules, Verdict
from flows.input import file_input
from flows.reference_build import build_reference
from state.alarms import Alarm, AlarmRules, Alarms, BlockEvidence
from state.columns import Column
from state.evidence import ColumnEvidence, evidence_of
from state.reference import FeatureReference, Reference
from state.scoring import Scored, score
from state.sketches.base import Sketch
from state.sketches.numeric import NumericBins
from state.windows import ClosedWindow

HOURS = 24 * 90
"""Hourly blocks in 90 days: the budget that the program has unless told otherwise is one in these."""

RULES = Rules()
_ONE_SPAN = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """One window of all columns: what it scores, what it says as an evidence block, its q-values."""

    scored: tuple[Scored, ...]
    block: tuple[BlockEvidence, ...]
    q_values: tuple[float | None, ...]

    def called(self, rules: Rules, alarms: Sequence[Alarm | None]) -> list[bool]:
        """Judge the columns by a rule."""
        return [
            rules.verdict(
                Findings(
                    n=found.n, q_value=q_value, p_min_effect=found.p_min_effect, alarmed=alarm is not None
                )
            )
            is Verdict.DRIFT
            for found, q_value, alarm in zip(self.scored, self.q_values, alarms, strict=True)
        ]


def answers(case: Case) -> Iterator[tuple[str, Answers]]:
    """Answer by each rule.

    Yields
    ------
    rule, answers
        The q-values of a window alone and with the smallest effect that matters. Then evidence over time: the
        alarms, and what the default rule makes of them, with a budget of one false alarm in as many blocks as
        there are windows without drift; and the latter with a budget of one in 90 days of hourly blocks.
    """
    reference = reference_of(case)
    names = tuple(feature.column.name for feature in reference.features)
    stationary, rows = case.phases[STATIONARY].shape[:2]
    asked = evidence_of(reference, names, rows=rows, risk=RISK)
    phases = {
        # All drifts follow on the stationary windows.
        phase: list(_windows(reference, asked, windows, 0 if phase == STATIONARY else stationary))
        for phase, windows in case.phases.items()
    }
    nothing = (None,) * len(names)
    for name, rules in (
        ("driftflow q <= .05", replace(RULES, rule=Rule.WINDOW, effect_level=1.0)),
        ("driftflow window", replace(RULES, rule=Rule.WINDOW)),
    ):
        yield (
            name,
            {
                phase: np.array([each.called(rules, nothing) for each in windows])
                for phase, windows in phases.items()
            },
        )
    for blocks in (stationary, HOURS):
        alarmed, drifted = _over_time(phases, asked, blocks)
        if blocks != HOURS:
            yield f"driftflow alarm {blocks}", alarmed
        yield f"driftflow drift {blocks}", drifted


def _over_time(
    phases: Mapping[str, Sequence[_Window]],
    asked: Mapping[str, ColumnEvidence],
    blocks: int,
) -> tuple[Answers, Answers]:
    """Say where an alarm stands, and where the default rule calls drift."""
    rules = AlarmRules(
        recursion=Recursion.SR,
        budget=Budget(columns=len(asked), blocks=blocks, episodes=1),
        source="the bench",
    )
    questions = {name: each.questions for name, each in asked.items()}
    alarmed, drifted = Answers(), Answers()
    before: bytes | None = None
    for phase, windows in phases.items():
        # Each drift begins with what the stationary windows, which come first, left behind.
        alarms = Alarms(rules, questions, before)
        standing = []
        for window in windows:
            alarms.add(window.block)
            standing.append([alarms.standing(s.feature, s.start, s.end) for s in window.scored])
        if phase == STATIONARY:
            before = alarms.snapshot()
        alarmed[phase] = np.array([[alarm is not None for alarm in each] for each in standing])
        drifted[phase] = np.array(
            [window.called(RULES, each) for window, each in zip(windows, standing, strict=True)]
        )
    return alarmed, drifted


def _windows(
    reference: Reference, asked: Mapping[str, ColumnEvidence], windows: Rows, first: int
) -> Iterator[_Window]:
    for place, rows in enumerate(windows, start=first):
        scored, block = [], []
        for feature, values in zip(reference.features, rows.T, strict=True):
            name, sketch = feature.column.name, sketch_of(feature, values)
            window = ClosedWindow(0, place, place + 1, sketch)
            found = score(feature, window, version=reference.version, min_effect=RULES.min_effect)
            assert isinstance(found, Scored)
            scored.append(found)
            block.append(
                BlockEvidence(
                    feature=name,
                    reference=reference.version,
                    start=place,
                    end=place + 1,
                    log_e=asked[name].log_e(feature.bins.summary(sketch).counts).astype("<f8").tobytes(),
                )
            )
        q_values = family_q_values([found.p_value for found in scored])
        yield _Window(scored=tuple(scored), block=tuple(block), q_values=tuple(q_values))


def reference_of(case: Case) -> Reference:
    """Build the reference as a user does, from a file."""
    kind = Kind.NUMERIC if case.numeric else Kind.CATEGORICAL
    names = [f"x{place}" for place in range(len(case.columns))]
    columns = tuple(Column(name=name, path=name, kind=kind) for name in names)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "reference.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([names, *case.reference.tolist()])
        source = file_input(path, columns=columns, time=None)
        return build_reference(source, columns, model=case.model, now_ms=0).reference


def sketch_of(feature: FeatureReference, values: Rows) -> Sketch:
    """Count the rows of a window over the bins of a reference."""
    if isinstance(feature.bins, NumericBins):
        return feature.bins.summarize(values, _ONE_SPAN, _ONE_SPAN)[0]
    return feature.bins.summarize([str(value) for value in values.tolist()], _ONE_SPAN, _ONE_SPAN)[0]
