"""Predictions and late labels for `bench.join`, and what a join of all of them at once gives."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectors.base import FloatArray, IntArray
from state.grid import MONDAY
from state.joined import Count

HOUR = 3_600_000
HORIZON = 25
"""Hours; a pane is one."""

NEVER = 0.05
START = 1_767_571_200_000
"""2026-01-05T00:00Z, a Monday."""

DAYS = 4
FILES = 2
REFERENCE_ROWS = 5_000

Counts = dict[tuple[int, int], list[int]]
"""By the pane in which it became known and the pane that it is about: one number for each of `Count`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was written: predictions, and labels with the prediction that each belongs to; times in ms.

    `guess` is of every prediction, `truth` too, labelled or not.
    """

    made_ms: IntArray
    labelled: IntArray
    known_ms: IntArray
    guess: FloatArray
    truth: FloatArray


def write_input(folder: Path, rows: int) -> Made:
    """Write predictions of four days in two files, and labels 0 to 24 h later in two, by their own time."""
    rng = np.random.default_rng(41)
    made = np.sort(START + rng.integers(0, DAYS * 24 * HOUR, rows))
    labelled = np.flatnonzero(rng.random(rows) >= NEVER)
    known = made[labelled] + rng.integers(0, 24 * HOUR, len(labelled))
    order = np.argsort(known, kind="stable")
    labelled, known = labelled[order], known[order]
    # As many digits as are written.
    guess = np.round(rng.normal(size=rows), 6)
    truth = np.round(guess + rng.normal(size=rows) / 2, 6)
    ids = [f"{value:016x}" for value in rng.permutation(rows).tolist()]
    for name in ("events", "labels"):
        (folder / name).mkdir()
    for part in range(FILES):
        with (folder / "events" / f"part-{part}.jsonl").open("w") as file:
            file.writelines(
                f'{{"request":"{ids[i]}","ts":{made[i]},"guess":{guess[i]:.6f}}}\n'
                for i in range(part, rows, FILES)
            )
        with (folder / "labels" / f"part-{part}.jsonl").open("w") as file:
            file.writelines(
                f'{{"request":"{ids[i]}","known":{when},"truth":{truth[i]:.6f}}}\n'
                for i, when in zip(labelled[part::FILES].tolist(), known[part::FILES].tolist(), strict=True)
            )
    with (folder / "reference.jsonl").open("w") as file:
        file.writelines(
            f'{{"request":"","ts":{START},"guess":{value:.6f}}}\n'
            for value in rng.normal(size=REFERENCE_ROWS)
        )
    return Made(made_ms=made, labelled=labelled, known_ms=known, guess=guess, truth=truth)


def expected(made: Made) -> Counts:
    """Join everything at once."""
    panes = (made.made_ms - MONDAY) // HOUR
    known = (made.known_ms - MONDAY) // HOUR
    never = np.ones(len(panes), dtype=np.bool_)
    never[made.labelled] = False
    found: Counts = {}
    for place, (when, about) in {
        Count.PREDICTIONS: (panes, panes),
        Count.LABELLED: (known, panes[made.labelled]),
        Count.UNLABELLED: (panes[never] + HORIZON, panes[never]),
        Count.LABELS: (known, known),
    }.items():
        pairs, counts = np.unique(np.stack([when, about]), axis=1, return_counts=True)
        for (a, b), count in zip(pairs.T.tolist(), counts.tolist(), strict=True):
            found.setdefault((a, b), [0] * len(Count))[place] = count
    return found


def errors(made: Made) -> dict[int, tuple[int, float]]:
    """Return labelled rows and mean absolute error by the hour of the prediction, in milliseconds."""
    hours = made.made_ms[made.labelled] // HOUR * HOUR
    gaps = np.abs(made.guess - made.truth)[made.labelled]
    starts, place = np.unique(hours, return_inverse=True)
    rows = np.bincount(place)
    means = np.bincount(place, weights=gaps) / rows
    return dict(zip(starts.tolist(), zip(rows.tolist(), means.tolist(), strict=True), strict=True))
