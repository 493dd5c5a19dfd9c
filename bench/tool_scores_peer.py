"""The figures of the tools that an environment has, for bench/tool_scores.py: prints them as JSON.

Usage: python tool_scores_peer.py PAIRS.json, in an environment that has the tools.
"""

import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

Figures = Iterator[tuple[str, float]]


def evidently(before: list[float], now: list[float], *, numeric: bool) -> Figures:
    """Call the default test, PSI and Jensen-Shannon of its registry."""
    pandas, tests = import_module("pandas"), import_module("evidently.legacy.calculations.stattests")
    kinds = import_module("evidently.legacy.core").ColumnType
    kind = kinds.Numerical if numeric else kinds.Categorical
    sides = [pandas.Series(side if numeric else [f"c{value:g}" for value in side]) for side in (before, now)]
    for name, asked in (("default", None), ("psi", "psi"), ("jensen-shannon, nats", "jensenshannon")):
        test = tests.get_stattest(*sides, kind, asked)
        yield f"Evidently {name}", float(test(*sides, kind, None).drift_score)


def nannyml(before: list[float], now: list[float], *, numeric: bool) -> Figures:
    """Compare the second side as one chunk."""
    pandas, tool = import_module("pandas"), import_module("nannyml")
    sides = [
        pandas.DataFrame({"x": side if numeric else [f"c{value:g}" for value in side]})
        for side in (before, now)
    ]
    key = "continuous_methods" if numeric else "categorical_methods"
    calculator = tool.UnivariateDriftCalculator(
        column_names=["x"], chunk_size=len(now), **{key: ["jensen_shannon"]}
    ).fit(sides[0])
    table = calculator.calculate(sides[1]).filter(period="analysis").to_df()
    yield "NannyML jensen-shannon, bits", float(table[("x", "jensen_shannon", "value")].iloc[0])


def frouros(before: list[float], now: list[float], *, numeric: bool) -> Figures:
    """Call its detectors with their defaults."""
    tool = import_module("frouros.detectors.data_drift")

    def asked(name: str) -> Any:  # noqa: ANN401  # the tool's
        detector = getattr(tool, name)()
        detector.fit(X=np.array(before))
        return detector.compare(X=np.array(now))[0]

    if numeric:
        yield "Frouros psi", float(asked("PSI").distance)
        yield "Frouros ks p-value", float(asked("KSTest").p_value)
    else:
        yield "Frouros chi2 p-value", float(asked("ChiSquareTest").p_value)


def alibi(before: list[float], now: list[float], *, numeric: bool) -> Figures:
    """Call its detectors of one feature."""
    tool = import_module("alibi_detect.cd")
    made = tool.KSDrift if numeric else tool.ChiSquareDrift
    first, second = (np.array(side)[:, None] for side in (before, now))
    found = made(first, p_val=0.05).predict(second)
    name = "ks p-value" if numeric else "chi2 p-value"
    yield f"alibi-detect {name}", float(found["data"]["p_val"][0])


TOOLS: dict[str, Callable[..., Figures]] = {
    "evidently": evidently,
    "nannyml": nannyml,
    "frouros": frouros,
    "alibi_detect": alibi,
}


def main(path: Path) -> None:
    """Ask every tool that is there about every pair."""
    found: dict[str, dict[str, float]] = {}
    for name, pair in json.loads(path.read_text()).items():
        found[name] = {}
        for module, ask in TOOLS.items():
            try:
                import_module(module)
            except ImportError:
                continue
            found[name] |= dict(ask(pair["before"], pair["now"], numeric=pair["numeric"]))
    sys.stdout.write("\n" + json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
