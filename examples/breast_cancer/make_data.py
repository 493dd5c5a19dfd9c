"""Writes the breast-cancer example's data: thirty measurements of cells, and a clinic whose patients change.

The reference is one half of scikit-learn's copy of the Wisconsin data set. The stream draws rows from the
other half: first as they come, then, from the middle on, three times out of four a malignant case.
"""

import csv
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer

ROWS = 2_000
MALIGNANT_SHARE = 0.75
FOLDER = Path(__file__).parent / "data"


def main() -> None:
    """Write `data/reference.csv` and `data/events.csv`; the same bytes on every machine."""
    loaded = load_breast_cancer()
    header = [str(name).replace(" ", "_") for name in loaded.feature_names]
    rng = np.random.default_rng(7)
    order = rng.permutation(len(loaded.data))
    half = len(order) // 2
    held_out = order[half:]
    malignant = held_out[loaded.target[held_out] == 0]
    rows = np.where(
        (np.arange(ROWS) >= ROWS // 2) & (rng.random(ROWS) < MALIGNANT_SHARE),
        rng.choice(malignant, ROWS),
        rng.choice(held_out, ROWS),
    )
    FOLDER.mkdir(exist_ok=True)
    for name, chosen in (("reference.csv", order[:half]), ("events.csv", rows)):
        with (FOLDER / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(loaded.data[chosen].tolist())


if __name__ == "__main__":
    main()
