"""What a tool is asked, as it lies in files: models with their windows; imports numpy alone."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[Any]
Flags = NDArray[np.bool_]

STATIONARY = "stationary"
"""Name of the phase without drift; it comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One model: its reference, and the windows of each phase.

    Attributes
    ----------
    reference
        Shape ``(rows, columns)``: doubles, or whole numbers that stand for categories.
    phases
        By name, shape ``(windows, rows, columns)``.
    drifted
        Columns that drift in every phase but the first, shape ``(columns,)``.
    """

    seed: int
    model: str
    numeric: bool
    columns: tuple[str, ...]
    drifted: Flags
    reference: Rows
    phases: Mapping[str, Rows]

    def asked(self, phase: str) -> list[int]:
        """Columns whose answers count: those that drift, or all where nothing does."""
        return [j for j, drifts in enumerate(self.drifted) if drifts or phase == STATIONARY]


Answers = dict[str, Flags]
"""By phase, shape ``(windows, columns)``: which windows are called drifted."""


def load(folder: Path) -> Iterator[Case]:
    """Read the cases in order."""
    for item in json.loads((folder / "cases.json").read_bytes()):
        yield Case(
            seed=item["seed"],
            model=item["model"],
            numeric=item["numeric"],
            columns=tuple(item["columns"]),
            drifted=np.array(item["drifted"], dtype=np.bool_),
            reference=np.load(folder / item["reference"]),
            phases={name: np.load(folder / file) for name, file in item["phases"].items()},
        )
