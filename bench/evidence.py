"""False alarms over time and delays of the evidence rule beside rules that judge window by window."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.evidence_columns import (
    CHANGES,
    Change,
    Family,
    categorical_family,
    grouped,
    numeric_family,
)
from bench.evidence_dependence import dependent
from bench.evidence_rules import BH, EVIDENCE, BoolArray, Evidence, Rule, log_e_values, window_rules
from bench.measure import say, show
from detectors.base import IntArray
from detectors.effects import min_effect_p_value
from detectors.sequential.budget import Budget
from detectors.sequential.detectors import Recursion

SEED = 71
COLUMNS = 50
DRIFTING = 5
PERIOD_BLOCKS = 24 * 90
"""Hourly blocks in 90 days, in which one false episode is allowed."""

GENEROUS_BLOCKS = 20
"""Blocks for each false alarm allowed, where the bound itself is to be seen."""

SETTINGS = ((500, 20_000), (500, 5_000), (200, 20_000), (2_000, 20_000))
"""Rows of a window, rows of the reference."""

WARM = 20
"""Stationary windows before a change, so that detectors carry what they would carry in a run."""

PATIENCE = 60
"""Windows after a change in which it may be found."""

MIN_EFFECT = 0.02
EFFECT_LEVEL = 0.1
"""PSI that is no drift yet, and the level of the test against "at most that"."""

GATED = " and more than the minimum effect"


@dataclass(slots=True)
class Tally:
    """What a rule said while nothing drifted."""

    called: int = 0
    windows: int = 0
    episodes: int = 0
    _before: bool = False

    def take(self, called: BoolArray) -> None:
        """Count one window; an episode is a run of windows with an alarm."""
        now = bool(called.any())
        self.called += int(called.sum())
        self.windows += now
        self.episodes += now and not self._before
        self._before = now


@dataclass(slots=True)
class Delays:
    """Windows from a change to the first call of each column that changed."""

    found: dict[str, list[float]] = field(default_factory=dict)

    def add(self, rule: str, firsts: Sequence[float]) -> None:
        """Record the columns of one run; infinity where a column was not called."""
        self.found.setdefault(rule, []).extend(firsts)

    def cell(self, rule: str) -> str:
        """Median delay and the share found."""
        found = np.array(self.found[rule])
        share = np.isfinite(found).mean()
        median = np.median(found)
        return f"{median:g} ({share:.0%})" if np.isfinite(median) else f"- ({share:.0%})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print false alarms, then delays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the windows, a fifth of the runs")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--part", choices=("stationary", "dependent", "delays"), help="only this part")
    given = parser.parse_args(arguments)
    windows, dependents, runs = (1_000, 200, 4) if given.quick else (10_000, 2_000, 20)
    budget = Budget(columns=COLUMNS, blocks=PERIOD_BLOCKS, episodes=1)
    say(f"Budget: {budget.words('90 days of hourly blocks')}.")
    if given.part in {None, "stationary"}:
        for rows, reference_rows in SETTINGS:
            stationary(rows, reference_rows, windows, budget, given.seed)
    if given.part in {None, "dependent"}:
        dependent(dependents, given.seed)
    if given.part in {None, "delays"}:
        for rows, reference_rows in SETTINGS:
            delays(rows, reference_rows, runs, budget, given.seed)


def stationary(rows: int, reference_rows: int, windows: int, budget: Budget, seed: int) -> None:
    """Count alarms while nothing drifts."""
    rng = np.random.default_rng([seed, 1, rows, reference_rows])
    family = numeric_family(rng, COLUMNS, reference_rows, rows, Change(title="none"))
    rules = window_rules(family)
    # A generous budget too: at the ordinary one nothing is likely to be seen, whatever the truth.
    generous = Budget(columns=COLUMNS, blocks=GENEROUS_BLOCKS, episodes=1)
    budgets = {
        EVIDENCE: (budget, Recursion.SR),
        "evidence, e-CUSUM": (budget, Recursion.CUSUM),
        f"evidence, e-SR, 1 in {GENEROUS_BLOCKS}": (generous, Recursion.SR),
    }
    judges = {name: Evidence(family, *settings) for name, settings in budgets.items()}
    tallies = {name: Tally() for name in (*rules, *judges)}
    for _ in range(windows):
        counts = family.block(rng, rows)
        for name, rule in rules.items():
            tallies[name].take(rule(counts))
        log_e = log_e_values(family, counts)
        for name, judge in judges.items():
            tallies[name].take(judge.take(log_e))
    show(
        f"{windows:,} windows x {COLUMNS} columns without drift, n = {rows:,}, m = {reference_rows:,}",
        ("rule", "columns called", "windows with an alarm", "episodes", "promised"),
        [
            (
                name,
                f"{tally.called:,}",
                f"{tally.windows:,}",
                f"{tally.episodes:,}",
                f"at most {budgets[name][0].expected(windows):,.2f}" if name in budgets else "",
            )
            for name, tally in tallies.items()
        ],
    )


def delays(rows: int, reference_rows: int, runs: int, budget: Budget, seed: int) -> None:
    """Measure how long a change of some columns goes unseen."""
    table: list[tuple[str, ...]] = []
    for place, change in enumerate(CHANGES):
        found = Delays()
        for run in range(runs):
            rng = np.random.default_rng([seed, 2, rows, reference_rows, place, run])
            make = categorical_family if change.of_categories else numeric_family
            family = make(rng, COLUMNS, reference_rows, rows, change)
            rules: dict[str, Rule] = {BH: window_rules(family)[BH], EVIDENCE: Evidence(family, budget)}
            for name, firsts in first_calls(family, rules, rng, rows).items():
                found.add(name, firsts)
        table.append(
            (change.title, *(found.cell(f"{rule}{gate}") for gate in ("", GATED) for rule in (BH, EVIDENCE)))
        )
    show(
        f"Median windows to find {DRIFTING} of {COLUMNS} columns (share found in {PATIENCE}), "
        f"n = {rows:,}, m = {reference_rows:,}",
        ("change", BH, EVIDENCE, "BH, min effect", "evidence, min effect"),
        table,
    )


def first_calls(
    family: Family, rules: Mapping[str, Rule], rng: np.random.Generator, rows: int
) -> dict[str, list[float]]:
    """Windows from the change until each changed column is first called, by rule, without and with the gate.

    An alarm of the evidence stands in its own window and in the next one; a window rule says what it says.
    """
    firsts = {f"{name}{gate}": np.full(DRIFTING, np.inf) for name in rules for gate in ("", GATED)}
    before = dict.fromkeys(rules, np.zeros(DRIFTING, dtype=np.bool_))
    groups = grouped(family, family.counts)
    for window in range(1 - WARM, PATIENCE + 1):
        counts = family.block(rng, rows, DRIFTING if window > 0 else 0)
        called = {name: rule(counts)[:DRIFTING] for name, rule in rules.items()}
        if window > 0:
            matters = _matters(groups, grouped(family, counts))
            for name, now in called.items():
                stands = now | before[name] if name == EVIDENCE else now
                for key, hit in ((name, now), (f"{name}{GATED}", stands & matters)):
                    firsts[key][hit & np.isinf(firsts[key])] = window
        before = called
        if all(np.isfinite(each).all() for each in firsts.values()):
            break
    return {name: each.tolist() for name, each in firsts.items()}


def _matters(reference: IntArray, current: IntArray) -> BoolArray:
    pairs = zip(reference[:DRIFTING], current[:DRIFTING], strict=True)
    p_values = [min_effect_p_value(before, now, MIN_EFFECT) for before, now in pairs]
    return np.array(p_values) <= EFFECT_LEVEL


if __name__ == "__main__":
    main()
