"""Asks one other tool, in an environment of its own, which windows of which columns it calls drifted.

Usage: python -m bench.peers_runner FOLDER TOOL. FOLDER is what `bench/peers_windows.py` wrote; the answers go
to FOLDER/TOOL.json. Imports numpy and that tool alone, and lets nothing out to the network.
"""

import copy
import json
import socket
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from bench.peers_case import STATIONARY, Answers, Case, Flags, Rows, load

NOT_INSTALLED = 3
"""Exit code where the tool is not there."""

LEVEL = 0.05
SLOW_MODELS = ("telco", "ethereum")
"""What a rule that takes half a millisecond per row is asked about, once."""
SLOW_SHARE = 5
"""Of each phase it gets the first windows, one in so many."""

Rule = Callable[[Case], Answers | None]
"""None where the tool offers nothing for such a case."""

Judge = Callable[[Rows], bool]
"""Whether one window of one column, shape ``(rows,)``, is called drifted."""


def by_column(case: Case, judge_of: Callable[[int], Judge]) -> Answers:
    """Ask about each column by itself; columns whose answer does not count are not asked."""
    answers: Answers = {}
    for phase, windows in case.phases.items():
        flags = np.zeros((windows.shape[0], windows.shape[2]), dtype=np.bool_)
        for j in case.asked(phase):
            judge = judge_of(j)
            flags[:, j] = [judge(window) for window in windows[:, :, j]]
        answers[phase] = flags
    return answers


def evidently_rules() -> dict[str, Rule]:
    """Return its default choice of test, for long and for short references."""
    pandas = import_module("pandas")
    tests = import_module("evidently.legacy.calculations.stattests")

    def rule(rows: int | None) -> Rule:
        def ask(case: Case) -> Answers:
            kind = "num" if case.numeric else "cat"
            reference = case.reference[:rows]
            if case.seed == 0:
                _agrees_with_the_report(case, reference)

            def judge_of(j: int) -> Judge:
                before = pandas.Series(_plain(case, reference[:, j]))

                def judge(window: Rows) -> bool:
                    now = pandas.Series(_plain(case, window))
                    test = tests.get_stattest(before, now, kind, None)
                    return bool(test(before, now, kind, None).drifted)

                return judge

            return by_column(case, judge_of)

        return ask

    return {"Evidently m = 5,000": rule(None), "Evidently m = 1,000": rule(1_000)}


def _agrees_with_the_report(case: Case, reference: Rows) -> None:
    """Hold the tests called one by one to the report that users call."""
    pandas, evidently = import_module("pandas"), import_module("evidently")
    tests = import_module("evidently.legacy.calculations.stattests")
    before, now = (
        pandas.DataFrame({name: _plain(case, rows[:, j]) for j, name in enumerate(case.columns)})
        for rows in (reference, case.phases[STATIONARY][0])
    )
    key = "numerical_columns" if case.numeric else "categorical_columns"
    definition = evidently.DataDefinition(**{key: list(case.columns)})
    sides = [evidently.Dataset.from_pandas(frame, data_definition=definition) for frame in (now, before)]
    report = evidently.Report([import_module("evidently.presets").DataDriftPreset()]).run(*sides)
    found = {
        metric["config"]["column"]: metric["value"]
        for metric in report.dict()["metrics"]
        if "column" in metric["config"]
    }
    kind = "num" if case.numeric else "cat"
    for name in case.columns:
        test = tests.get_stattest(before[name], now[name], kind, None)
        score = float(test(before[name], now[name], kind, None).drift_score)
        if not np.isclose(found[name], score, rtol=1e-9, atol=1e-12):
            raise AssertionError(f"Evidently's report says {found[name]} for {name}, its test {score}.")


def nannyml_rules() -> dict[str, Rule]:
    """Return its univariate methods with their limit of mean + 3 sd over the reference's chunks."""
    pandas, nannyml = import_module("pandas"), import_module("nannyml")

    def frame(case: Case, rows: Rows, columns: list[int]) -> Any:  # noqa: ANN401  # a data frame
        return pandas.DataFrame({case.columns[j]: _plain(case, rows[:, j]) for j in columns})

    def rule(numeric: bool, method: str) -> Rule:  # noqa: FBT001
        key = "continuous_methods" if numeric else "categorical_methods"

        def ask(case: Case) -> Answers | None:
            if case.numeric is not numeric:
                return None
            answers: Answers = {}
            for phase, windows in case.phases.items():
                count, rows, width = windows.shape
                asked = case.asked(phase)
                names = [case.columns[j] for j in asked]
                calculator = nannyml.UnivariateDriftCalculator(
                    column_names=names, chunk_size=rows, **{key: [method]}
                ).fit(frame(case, case.reference, asked))
                stream = frame(case, windows.reshape(count * rows, width), asked)
                table = calculator.calculate(stream).filter(period="analysis").to_df()
                flags = np.zeros((count, width), dtype=np.bool_)
                for j in asked:
                    flags[:, j] = table[(case.columns[j], method, "alert")].to_numpy(dtype=np.bool_)
                answers[phase] = flags
            return answers

        return ask

    return {
        "NannyML JS": lambda case: rule(case.numeric, "jensen_shannon")(case),
        "NannyML KS": rule(True, "kolmogorov_smirnov"),
        "NannyML Wasserstein": rule(True, "wasserstein"),
        "NannyML chi-square": rule(False, "chi2"),
    }


def alibi_rules() -> dict[str, Rule]:
    """Return its tests of all columns together, with both of its corrections."""
    tool = import_module("alibi_detect.cd")

    def rule(correction: str) -> Rule:
        def ask(case: Case) -> Answers:
            made = tool.KSDrift if case.numeric else tool.ChiSquareDrift
            detector = made(case.reference, p_val=LEVEL, correction=correction)

            def flags(window: Rows) -> Flags:
                data = detector.predict(window)["data"]
                below: Flags = data["p_val"] < data["threshold"]
                return below if data["is_drift"] else np.zeros_like(below)

            return {
                phase: np.array([flags(window) for window in windows])
                for phase, windows in case.phases.items()
            }

        return ask

    return {"alibi Bonferroni": rule("bonferroni"), "alibi FDR": rule("fdr")}


def frouros_rules() -> dict[str, Rule]:
    """Return p < .05, and PSI with its 10 bins at the two customary limits; it has no limits of its own."""
    tool = import_module("frouros.detectors.data_drift")

    def rule(numeric: bool, name: str, alarm: Callable[[Any], bool]) -> Rule:  # noqa: FBT001
        def ask(case: Case) -> Answers | None:
            if case.numeric is not numeric:
                return None

            def judge_of(j: int) -> Judge:
                detector = getattr(tool, name)()
                detector.fit(X=case.reference[:, j])
                return lambda window: bool(alarm(detector.compare(X=window)[0]))

            return by_column(case, judge_of)

        return ask

    return {
        "Frouros KS p < .05": rule(True, "KSTest", lambda result: result.p_value < LEVEL),
        "Frouros PSI > .1": rule(True, "PSI", lambda result: result.distance > 0.1),
        "Frouros PSI > .25": rule(True, "PSI", lambda result: result.distance > 0.25),
        "Frouros chi-square": rule(False, "ChiSquareTest", lambda result: result.p_value < LEVEL),
    }


def river_rules() -> dict[str, Rule]:
    """Return its stream detectors, fed row by row: the reference, the stationary windows, then the drift."""
    tool = import_module("river.drift")

    def rule(make: Callable[[], Any], *, slow: bool = False) -> Rule:
        def ask(case: Case) -> Answers | None:
            if not case.numeric or (slow and (case.seed or case.model not in SLOW_MODELS)):
                return None
            mean, deviation = case.reference.mean(axis=0), case.reference.std(axis=0)
            phases = {
                phase: windows[: len(windows) // SLOW_SHARE] if slow else windows
                for phase, windows in case.phases.items()
            }
            answers = {
                phase: np.zeros((len(windows), windows.shape[2]), dtype=np.bool_)
                for phase, windows in phases.items()
            }
            for j in range(len(case.columns)):
                detector = make()
                _feed(detector, (case.reference[:, j] - mean[j]) / deviation[j])
                for phase, windows in phases.items():
                    if j not in case.asked(phase):
                        continue
                    # Each drift begins where the stationary windows, which come first, ended.
                    fed = detector if phase == STATIONARY else copy.deepcopy(detector)
                    scaled = (windows[:, :, j] - mean[j]) / deviation[j]
                    answers[phase][:, j] = [_feed(fed, window) for window in scaled]
            return answers

        return ask

    return {
        "River ADWIN": rule(tool.ADWIN),
        "River PageHinkley": rule(tool.PageHinkley),
        "River KSWIN": rule(lambda: tool.KSWIN(seed=1), slow=True),
    }


def _feed(detector: Any, values: Rows) -> bool:  # noqa: ANN401  # River's
    detected = False
    for value in values.tolist():
        detector.update(value)
        detected = detected or detector.drift_detected
    return detected


def _plain(case: Case, values: Rows) -> Rows | list[str]:
    """Return numbers as they are, and categories as names."""
    return values if case.numeric else [f"c{value}" for value in values.tolist()]


TOOLS: dict[str, Callable[[], dict[str, Rule]]] = {
    "evidently": evidently_rules,
    "nannyml": nannyml_rules,
    "alibi-detect": alibi_rules,
    "frouros": frouros_rules,
    "river": river_rules,
}


def ask_all(folder: Path, rules: Mapping[str, Rule]) -> list[dict[str, Any]]:
    """Return every answer of some rules, with the place of its case and its phase."""
    return [
        {"rule": name, "case": place, "phase": phase, "flags": flags.tolist()}
        for place, case in enumerate(load(folder))
        for name, rule in rules.items()
        for phase, flags in (rule(case) or {}).items()
    ]


def main(folder: Path, tool: str) -> None:
    """Ask one tool everything; write its answers."""
    try:
        found = version(tool)
    except PackageNotFoundError:
        raise SystemExit(NOT_INSTALLED) from None
    with patch.object(socket.socket, "connect", side_effect=OSError("other tools get no network here")):
        answers = ask_all(folder, TOOLS[tool]())
    (folder / f"{tool}.json").write_text(json.dumps({"version": found, "answers": answers}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
