"""What a scenario is: columns, rows that depend on the seed alone, and the truth about their drift."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.base import DriftflowError
from detectors.checks import Family
from flows.scenarios.traffic import Traffic
from state.columns import Column

BLOCK_ROWS: Final = 1024
"""Rows are drawn in whole blocks of this size, so that no cut of a stream changes them."""

STEP_MS: Final = 30_000
"""Event time from one row to the next where a scenario has no step of its own."""

START_MS: Final = 1_767_571_200_000
"""Event time of row 0: 2026-01-05T00:00:00Z, a Monday, so that day and week windows begin with the stream."""

MAX_TIME_MS: Final = 253_402_300_800_000
"""The year 10000, which ISO-8601 texts of four-digit years cannot write."""

Values = NDArray[np.float64 | np.int64] | list[str | None]
"""One column: numbers (NaN: missing) or texts (None: missing)."""


class ScenarioError(DriftflowError):
    """A scenario does not exist or cannot be generated as asked."""


class DriftKind(StrEnum):
    """How a feature leaves its reference law (Gama et al. 2014, ACM Computing Surveys 46(4), figure 2)."""

    SUDDEN = "sudden"
    """From one row to the next."""
    GRADUAL = "gradual"
    """Rows of the new law become more frequent among rows of the old."""
    INCREMENTAL = "incremental"
    """The law itself moves by small steps."""
    RECURRING = "recurring"
    """It leaves and returns several times."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is known about the drift of one column.

    Attributes
    ----------
    feature
        Name of the column.
    spans
        Half-open ranges of rows ``(start, end)``, increasing and apart, where the column's law differs from
        the reference law; empty where it never does.
    effect
        Size of the drift at its full strength, in words.
    """

    feature: str
    kind: DriftKind
    spans: tuple[tuple[int, int], ...]
    description: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is known about one fault of a stream.

    Attributes
    ----------
    feature
        Name of the column; empty where the fault is one of whole records.
    check
        What shows it: a share, a rate or a metric, by the name under which it is reported.
    spans
        Half-open ranges of rows ``(start, end)``, increasing and apart.
    """

    family: Family
    check: str
    feature: str = ""
    spans: tuple[tuple[int, int], ...]
    description: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LateLabels:
    """Labels that come in a stream of their own, each later than its row.

    Attributes
    ----------
    column
        The label; it is in the records of the reference, and not in those of the stream.
    longest_steps
        The longest delay, in steps of the stream. Delays are even from 0 to that.
    never
        Probability that the label of a row never comes.
    """

    column: Column
    longest_steps: int
    never: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioOptions:
    """How much of a scenario to generate, and when its rows happen.

    Attributes
    ----------
    rows
        Rows of the stream. The default is one week of the default step.
    reference_rows
        Rows of the reference that goes with it.
    step_ms
        Event time from one row to the next.
    disorder_ms
        Each row's event time is delayed by 0 to this many milliseconds, evenly. A row is then at most
        ``disorder_ms - step_ms`` behind the latest row before it: rows change places only where that is
        positive.
    features
        Number of features, for scenarios that leave it open; None: the scenario's own.

    Raises
    ------
    ScenarioError
        A number is out of its range, or the stream would leave the years 1970 to 9999.
    """

    rows: int = 20_160
    seed: int = 0
    step_ms: int = STEP_MS
    disorder_ms: int = 5_000
    features: int | None = None
    reference_rows: int = 10_000

    def __post_init__(self) -> None:
        lowest = {"rows": 1, "seed": 0, "step_ms": 1, "disorder_ms": 0, "reference_rows": 1}
        for name, least in lowest.items():
            value: int = getattr(self, name)
            if value < least:
                raise ScenarioError(f"{name} is {value}, wanted at least {least}: pass a larger number")
        end_ms = START_MS + self.rows * self.step_ms + self.disorder_ms
        if end_ms >= MAX_TIME_MS or self.reference_rows * self.step_ms > START_MS:
            raise ScenarioError(
                f"{self.rows} rows and {self.reference_rows} reference rows, {self.step_ms} ms apart, do not "
                "fit into the years 1970 to 9999: pass fewer rows or a smaller step_ms"
            )


class Scenario(Protocol):
    """A stream with known drift.

    Rows are a pure function of the scenario, the seed, the row number and (where the drift starts at a
    fraction of the stream) the total number of rows, under one version of NumPy: its generators may change
    their streams between versions (NEP 19).
    """

    @property
    def name(self) -> str:
        """Name in the registry, and of the model in the records."""
        ...

    @property
    def description(self) -> str:
        """What happens in it, in one sentence."""
        ...

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of a row, in the order of its fields."""
        ...

    @property
    def step_ms(self) -> int:
        """Event time from one row to the next where nobody asks for another."""
        ...

    @property
    def traffic(self) -> Traffic:
        """How rows are spread over event time."""
        ...

    @property
    def late_labels(self) -> LateLabels | None:
        """The labels that come in a stream of their own; None: there are none."""
        ...

    def truth(self, rows: int) -> tuple[Truth, ...]:
        """What drifts in a stream of `rows` rows, one value per column and in their order."""
        ...

    def faults(self, rows: int) -> tuple[Fault, ...]:
        """What else is wrong in a stream of `rows` rows."""
        ...

    def reference_columns(self, seed: int, start: int, count: int) -> Mapping[str, Values]:
        """Draw rows ``start .. start + count - 1`` of the reference, by column name.

        They follow the reference law and are independent of the stream's rows. Late labels are among them.
        """
        ...

    def events(self, seed: int, start: int, count: int, rows: int) -> Mapping[str, Values]:
        """Draw rows ``start .. start + count - 1`` of a stream of `rows` rows, by column name.

        Late labels are among them, as they will be once they are known.

        Raises
        ------
        ScenarioError
            The range leaves the stream.
        """
        ...
