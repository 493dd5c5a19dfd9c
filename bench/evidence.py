"""False alarms over time and delays of the evidence rule beside rules that judge window by window."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.evidence_columns import CHANGES, Change, Family, categorical_family, numeric_family
from bench.evidence_rules import BH, EVIDENCE, BoolArray, Evidence, Rule, window_rules
from bench.measure import say, show
from detectors.sequential.budget import Budget
from detectors.sequential.detectors import Recursion

SEED = 2026
COLUMNS = 50
DRIFTING = 5
PERIOD_BLOCKS = 24 * 90
"""Hourly blocks in 90 days, in which one false episode is allowed."""

SETTINGS = ((500, 20_000), (500, 5_000), (200, 20_000), (2_000, 20_000))
"""Rows of a window, rows of the reference."""

WARM = 20
"""Stationary windows before a change, so that detectors carry what they would carry in a run."""

PATIENCE = 60
"""Windows after a change in which it may be found."""


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
    parser.add_argument("--part", choices=("stationary", "delays"), help="only this part")
    given = parser.parse_args(arguments)
    windows, runs = (1_000, 4) if given.quick else (10_000, 20)
    budget = Budget(columns=COLUMNS, blocks=PERIOD_BLOCKS, episodes=1)
    say(f"Budget: {budget.words('90 days of hourly blocks')}.")
    if given.part != "delays":
        for rows, reference_rows in SETTINGS:
            stationary(rows, reference_rows, windows, budget, given.seed)
    if given.part != "stationary":
        for rows, reference_rows in SETTINGS:
            delays(rows, reference_rows, runs, budget, given.seed)


def stationary(rows: int, reference_rows: int, windows: int, budget: Budget, seed: int) -> None:
    """Count alarms while nothing drifts."""
    rng = np.random.default_rng([seed, 1, rows, reference_rows])
    family = numeric_family(rng, COLUMNS, reference_rows, rows, Change(title="none"))
    rules: dict[str, Rule] = {
        **window_rules(family),
        EVIDENCE: Evidence(family, budget),
        "evidence, e-CUSUM": Evidence(family, budget, Recursion.CUSUM),
    }
    tallies = {name: Tally() for name in rules}
    for _ in range(windows):
        counts = family.block(rng, rows)
        for name, rule in rules.items():
            tallies[name].take(rule(counts))
    promised = budget.expected(windows)
    show(
        f"{windows:,} windows x {COLUMNS} columns without drift, n = {rows:,}, m = {reference_rows:,}",
        ("rule", "columns called", "windows with an alarm", "episodes", "promised"),
        [
            (
                name,
                f"{tally.called:,}",
                f"{tally.windows:,}",
                f"{tally.episodes:,}",
                f"at most {promised:.2f}" if name.startswith("evidence") else "",
            )
            for name, tally in tallies.items()
        ],
    )


def delays(rows: int, reference_rows: int, runs: int, budget: Budget, seed: int) -> None:
    """Measure how long a change of some columns goes unseen."""
    table = []
    for place, change in enumerate(CHANGES):
        found = Delays()
        for run in range(runs):
            rng = np.random.default_rng([seed, 2, rows, reference_rows, place, run])
            make = categorical_family if change.of_categories else numeric_family
            family = make(rng, COLUMNS, reference_rows, rows, change)
            rules: dict[str, Rule] = {BH: window_rules(family)[BH], EVIDENCE: Evidence(family, budget)}
            for name, firsts in first_calls(family, rules, rng, rows).items():
                found.add(name, firsts)
        table.append((change.title, found.cell(BH), found.cell(EVIDENCE)))
    show(
        f"Median windows to find {DRIFTING} of {COLUMNS} columns (share found in {PATIENCE}), "
        f"n = {rows:,}, m = {reference_rows:,}",
        ("change", BH, EVIDENCE),
        table,
    )


def first_calls(
    family: Family, rules: Mapping[str, Rule], rng: np.random.Generator, rows: int
) -> dict[str, list[float]]:
    """Windows from the change until each changed column is first called, by rule."""
    firsts = {name: np.full(DRIFTING, np.inf) for name in rules}
    for window in range(1 - WARM, PATIENCE + 1):
        counts = family.block(rng, rows, DRIFTING if window > 0 else 0)
        for name, rule in rules.items():
            called = rule(counts)[:DRIFTING]
            if window > 0:
                firsts[name] = np.where(called, np.minimum(firsts[name], window), firsts[name])
        if all(np.isfinite(each).all() for each in firsts.values()):
            break
    return {name: each.tolist() for name, each in firsts.items()}


if __name__ == "__main__":
    main()
