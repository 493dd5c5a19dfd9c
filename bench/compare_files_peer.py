"""The same comparison by another tool, for bench/compare_files.py: prints how many columns it calls drifted.

Usage: python compare_files_peer.py TOOL BASELINE CURRENT, in an environment that has the tool.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def evidently(before: Any, now: Any) -> int:  # noqa: ANN401  # data frames of an environment of their own
    """Count the columns that the preset calls drifted, with its defaults."""
    report = import_module("evidently").Report([import_module("evidently.presets").DataDriftPreset()])
    found = report.run(now, before).dict()
    (counted,) = [each for each in found["metrics"] if "DriftedColumnsCount" in str(each)]
    return int(counted["value"]["count"])


def nannyml(before: Any, now: Any) -> int:  # noqa: ANN401  # data frames of an environment of their own
    """Count the columns that a chunk of all rows alerts for, with the default methods."""
    calculator = import_module("nannyml").UnivariateDriftCalculator(
        column_names=list(before.columns), chunk_size=max(len(now) // 10, 1)
    )
    found = calculator.fit(before).calculate(now).filter(period="analysis").to_df()
    alerts = [column for column in found.columns if column[-1] == "alert"]
    return len({column[0] for column in alerts if found[column].mean() > 0.5})  # most chunks


_TOOLS: dict[str, Callable[[Any, Any], int]] = {"evidently": evidently, "nannyml": nannyml}


def main() -> None:
    """Read both files and compare."""
    pandas = import_module("pandas")
    tool, *files = sys.argv[1:]
    before, now = (pandas.read_csv(file) for file in files)
    sys.stdout.write(f"{_TOOLS[tool](before, now)}\n")


if __name__ == "__main__":
    main()
