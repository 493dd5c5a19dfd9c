"""Realised performance by NannyML, for bench/car_loan.py: prints one line of JSON.

Usage: python car_loan_nannyml.py FOLDER, in an environment that has NannyML.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

METRICS = ("roc_auc", "f1", "accuracy")


def main() -> None:
    """Compare chunks of 1,000 rows with the reference's, with the thresholds that it has by default."""
    pandas, nannyml = import_module("pandas"), import_module("nannyml")
    folder = Path(sys.argv[1])
    reference, analysis = (pandas.read_csv(folder / f"{name}.csv") for name in ("reference", "analysis"))
    analysis = analysis.merge(pandas.read_csv(folder / "analysis_target.csv"), on="id")
    calculator = nannyml.PerformanceCalculator(
        y_pred_proba="y_pred_proba",
        y_pred="y_pred",
        y_true="repaid",
        problem_type="classification_binary",
        metrics=list(METRICS),
        chunk_size=1_000,
    )
    found = calculator.fit(reference).calculate(analysis).filter(period="analysis").to_df()
    figures = {name: [float(value) for value in found[name, "value"]] for name in METRICS}
    ends = [int(end) + 1 for end in found["chunk", "end_index"]]
    first = ends[0] - 1_000
    degraded = {
        name: [
            end - first
            for end, alert, value, low in zip(
                ends,
                found[name, "alert"],
                found[name, "value"],
                found[name, "lower_threshold"],
                strict=True,
            )
            if alert and value < low
        ]
        for name in METRICS
    }
    sys.stdout.write(json.dumps({"figures": figures, "degraded": degraded}) + "\n")


if __name__ == "__main__":
    main()
