"""False alarms, power and delay beside the real Evidently, NannyML, alibi-detect, Frouros and River."""

import argparse
import os
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from bench import peers_driftflow, peers_runner
from bench.measure import say, show
from bench.peers_case import STATIONARY, Answers, Case, load
from bench.peers_environments import ROOT, prepare, python_of
from bench.peers_scoring import Answered, detection, false_alarms
from bench.peers_windows import DRIFTS, FULL, QUICK, REFERENCE_ROWS, SEED, WINDOW_ROWS, write

TOOLS = {
    "evidently": "numpy2",
    "nannyml": "numpy2",
    "alibi-detect": "numpy1",
    "frouros": "numpy1",
    "river": "numpy2",
}
"""Environment of each tool, in the order of the tables."""

AT_ONCE = 2
LIMIT_S = 7_200
QUIET = {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1", "PYTHONWARNINGS": "ignore"}
ADAPTING = "River"
"""Stream detectors take the drift for the new normal, so the share of windows they call says nothing."""


class _Answer(msgspec.Struct, frozen=True):
    rule: str
    case: int
    phase: str
    flags: list[list[bool]]


class ToolAnswers(msgspec.Struct, frozen=True):
    """What one tool said of all cases."""

    version: str
    answers: list[_Answer]


@dataclass(slots=True)
class Collected:
    """Answers by kind of column and rule, and what stands in the place of those that could not be had."""

    rules: dict[bool, dict[str, list[Answered]]] = field(
        default_factory=lambda: {True: defaultdict(list), False: defaultdict(list)}
    )
    missing: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def take(self, case: Case, rule: str, answers: Answers) -> None:
        """Keep what a rule said of a model."""
        drifts = {phase: flags for phase, flags in answers.items() if phase != STATIONARY}
        self.rules[case.numeric][rule].append(
            Answered(drifted=case.drifted, stationary=answers[STATIONARY], drifts=drifts)
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw windows, ask every tool, print a table for numeric and one for categorical columns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--quick", action="store_true", help="one draw, three models, fewer windows")
    parser.add_argument(
        "--draws", type=int, help=f"of everything (default {FULL.seeds}, quick {QUICK.seeds})"
    )
    parser.add_argument("--no-install", action="store_true", help="ask only the tools that are there")
    given = parser.parse_args(arguments)
    size = QUICK if given.quick else FULL
    size = replace(size, seeds=given.draws or size.seeds)
    if not given.no_install:
        for name in dict.fromkeys(TOOLS.values()):
            prepare(name)
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(given.data, folder, size)
        collected = collect(folder)
    for numeric in (True, False):
        report(collected, numeric=numeric)
    say(
        f"Draws: {size.seeds} (seed {SEED}) of a reference of {REFERENCE_ROWS:,} rows and {size.stationary} "
        f"windows of {WINDOW_ROWS} without drift, then {size.drifted} of each drift in half of the columns.\n"
        "false: % of windows of single columns called without drift; any: % of windows with any column "
        "called; runs: of such windows.\nUnder a drift: % of the drifted windows called / median windows to "
        "the first call / % of the drifted columns ever called."
    )
    say(", ".join(f"{tool} {version}" for tool, version in collected.versions.items()))


def collect(folder: Path) -> Collected:
    """Ask driftflow and all tools, two at a time."""
    collected = Collected()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = {tool: pool.submit(ask, folder, tool) for tool in TOOLS}
        cases = list(load(folder))
        for case in cases:
            for rule, answers in peers_driftflow.answers(case):
                collected.take(case, rule, answers)
        for tool, outcome in outcomes.items():
            problem = outcome.result()
            if problem is not None:
                collected.missing[tool] = problem
                continue
            found = msgspec.json.decode((folder / f"{tool}.json").read_bytes(), type=ToolAnswers)
            collected.versions[tool] = found.version
            for place, rule, answers in by_case(found.answers):
                collected.take(cases[place], rule, answers)
    return collected


def by_case(answers: Sequence[_Answer]) -> Iterator[tuple[int, str, Answers]]:
    """Group what a tool said: the case's place, the rule, and its answers by phase."""
    grouped: dict[tuple[int, str], Answers] = defaultdict(dict)
    for answer in answers:
        grouped[answer.case, answer.rule][answer.phase] = np.array(answer.flags, dtype=np.bool_)
    for (place, rule), phases in grouped.items():
        yield place, rule, phases


def ask(folder: Path, tool: str) -> str | None:
    """Run a tool in its own environment; say what is wrong, if anything is."""
    python = python_of(TOOLS[tool])
    if not python.exists():
        return "not installed"
    command = (str(python), "-m", peers_runner.__name__, str(folder), tool)
    try:
        done = subprocess.run(  # noqa: S603  # our own runner
            command,
            cwd=ROOT,
            env={**os.environ, **QUIET},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"gave no answer within {LIMIT_S} s"
    if done.returncode == peers_runner.NOT_INSTALLED:
        return "not installed"
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return f"failed: {lines[-1] if lines else f'exit code {done.returncode}'}"
    return None


def report(collected: Collected, *, numeric: bool) -> None:
    """Print one table."""
    drifts = tuple(DRIFTS[numeric])
    rows = [_row(rule, answered, drifts) for rule, answered in collected.rules[numeric].items()]
    rows += [(tool, problem, *("",) * (2 + len(drifts))) for tool, problem in collected.missing.items()]
    show(
        f"{'Numeric' if numeric else 'Categorical'} columns",
        ("rule", "false", "any", "runs", *drifts),
        rows,
    )


def _row(rule: str, answered: Sequence[Answered], drifts: Sequence[str]) -> tuple[str, ...]:
    wrong = false_alarms(answered)
    cells = []
    for drift in drifts:
        found = detection(answered, drift)
        power = "-" if rule.startswith(ADAPTING) else f"{100 * found.power:.0f}"
        first = f"{found.first:g}" if isfinite(found.first) else "never"
        cells.append(f"{power}/{first}/{100 * found.found:.0f}")
    return (rule, f"{100 * wrong.cells:.2f}", f"{100 * wrong.windows:.1f}", f"{wrong.episodes}", *cells)


if __name__ == "__main__":
    main()
