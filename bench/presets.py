"""Verdicts of each preset beside the tool it is named for, on the same windows of real columns."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from bench.measure import say, show
from bench.peers import TOOLS, ToolAnswers, ask, by_case
from bench.peers_case import STATIONARY, Answers, Case, Flags, Rows, load
from bench.peers_driftflow import reference_of, sketch_of
from bench.peers_environments import prepare
from bench.peers_windows import FULL, QUICK, SEED, WINDOW_ROWS, write
from detectors.multiplicity import family_q_values
from detectors.verdicts import Verdict
from flows.config import Config, parse_config
from flows.detection import measured_by, watched_of
from flows.preset_names import Preset
from state.decisions import decide
from state.judge import Judge, JudgeContext
from state.reference import Reference
from state.scoring import Evidence, Scored, score
from state.windows import ClosedWindow

PAIRS: Mapping[Preset, tuple[str, ...]] = {
    Preset.EVIDENTLY: ("Evidently m = 5,000",),
    Preset.NANNYML: ("NannyML JS",),
    Preset.ALIBI: ("alibi Bonferroni",),
    Preset.KS_CLASSIC: ("Frouros KS p < .05", "Frouros chi-square"),
    Preset.PSI_CLASSIC: ("Frouros PSI > .1",),
}
"""Rules of the tools that a preset is held to; SageMaker cannot be asked."""

Key = tuple[Preset, str, bool]


@dataclass(slots=True)
class Agreement:
    """Windows of single columns: how many, called by the tool, by the preset, and alike."""

    windows: int = 0
    tool: int = 0
    preset: int = 0
    alike: int = 0

    def take(self, tool: Flags, preset: Flags) -> None:
        """Count answers, of the same shape."""
        self.windows += tool.size
        self.tool += int(tool.sum())
        self.preset += int(preset.sum())
        self.alike += int((tool == preset).sum())

    def cells(self) -> tuple[str, str, str]:
        """Shares in per cent: called by the tool, by the preset, alike."""
        shares = (each / max(self.windows, 1) for each in (self.tool, self.preset, self.alike))
        first, second, third = (f"{100 * share:.1f}" for share in shares)
        return first, second, third


def answers(case: Case, preset: Preset, reference: Reference) -> Answers:
    """Judge every window of a case by a preset and nothing else."""
    config = _config(case, preset)
    context = JudgeContext(
        level=config.rules.false_discovery_rate,
        min_rows=config.rules.min_rows,
        evidence={},
        watched=watched_of(config, [reference]),
    )
    return {
        phase: np.array([_called(config, reference, context, rows) for rows in windows])
        for phase, windows in case.phases.items()
    }


def _called(config: Config, reference: Reference, context: JudgeContext, rows: Rows) -> list[bool]:
    scored = []
    for feature, values in zip(reference.features, rows.T, strict=True):
        found = score(
            feature,
            ClosedWindow(0, 0, 1, sketch_of(feature, values)),
            version=reference.version,
            min_effect=config.rules.min_effect,
            detectors=measured_by(config),
        )
        assert isinstance(found, Scored)
        scored.append(found)
    q_values = family_q_values([found.p_value for found in scored], config.rules.correction)
    called = []
    for found, q_value in zip(scored, q_values, strict=True):
        (said,) = Judge(context).add([found])
        assert isinstance(said, Evidence)
        verdict, _ = decide(config.rules, said, found, q_value, None, str)
        called.append(verdict is Verdict.DRIFT)
    return called


def _config(case: Case, preset: Preset) -> Config:
    kind = "numeric" if case.numeric else "categorical"
    columns = ", ".join(f"x{place}: {{kind: {kind}}}" for place in range(len(case.columns)))
    return parse_config(
        f"model: {{name: {case.model}}}\ninput: {{path: none}}\ntime: {{rows: true}}\n"
        f"columns: {{{columns}}}\nwindows: {{block: {{size: {WINDOW_ROWS} rows}}}}\n"
        f"detection: {{preset: {preset}}}\n",
        folder=Path(),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw windows, ask every tool and every preset, print how far they agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--quick", action="store_true", help="one draw, three models, fewer windows")
    parser.add_argument("--no-install", action="store_true", help="ask only the tools that are there")
    given = parser.parse_args(arguments)
    if not given.no_install:
        for name in dict.fromkeys(TOOLS.values()):
            prepare(name)
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(given.data, folder, QUICK if given.quick else FULL)
        tools = [tool for tool in TOOLS if tool != "river"]
        with ThreadPoolExecutor(1) as pool:
            missing = dict(zip(tools, pool.map(lambda tool: ask(folder, tool), tools), strict=True))
        report(dict(_agreements(folder, [tool for tool in tools if missing[tool] is None])))
    for tool, problem in missing.items():
        if problem is not None:
            say(f"{tool}: {problem}")
    say(f"Windows of {WINDOW_ROWS} rows of single columns, seed {SEED}; drifts of all kinds together.")


def _agreements(folder: Path, tools: Sequence[str]) -> Iterator[tuple[Key, dict[bool, Agreement]]]:
    """Count by preset, rule and kind of column: without drift, and with any."""
    cases = list(load(folder))
    given: dict[tuple[int, str], Answers] = {}
    for tool in tools:
        read = msgspec.json.decode((folder / f"{tool}.json").read_bytes(), type=ToolAnswers)
        given |= {(place, rule): found for place, rule, found in by_case(read.answers)}
    references = [reference_of(case) for case in cases]
    for preset, rules in PAIRS.items():
        own = [answers(case, preset, made) for case, made in zip(cases, references, strict=True)]
        for rule in rules:
            for numeric in (True, False):
                counted = {False: Agreement(), True: Agreement()}
                for place, case in enumerate(cases):
                    found = given.get((place, rule))
                    if case.numeric is not numeric or found is None:
                        continue
                    for phase, flags in found.items():
                        asked = case.asked(phase)
                        counted[phase != STATIONARY].take(flags[:, asked], own[place][phase][:, asked])
                if counted[False].windows:
                    yield (preset, rule, numeric), counted


def report(found: Mapping[Key, dict[bool, Agreement]]) -> None:
    """Print the table."""
    header = ("preset", "tool's rule", "columns", "tool", "preset", "alike", "tool", "preset", "alike")
    rows = [
        (preset, rule, "numeric" if numeric else "categorical", *of[False].cells(), *of[True].cells())
        for (preset, rule, numeric), of in found.items()
    ]
    show("% of windows called: without drift (first three), and with", header, rows)


if __name__ == "__main__":
    main()
