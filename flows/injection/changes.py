"""What each kind of fault makes of a value."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Final

from flows.injection.faults import InjectedFault, InjectionError
from flows.injection.forms import FaultKind
from flows.injection.records import Cell

Change = Callable[[Cell, float | None, float], Cell]
"""From a value, the number that it is if any, and an even draw from ``(0, 1)`` to the faulty value."""

MOST_CATEGORIES: Final = 1_000
"""Different texts of a field that are remembered."""


@dataclass(slots=True, kw_only=True)
class Facts:
    """What the file holds in one field: moments and extremes of its numbers, and the first of its texts."""

    rows: int = 0
    numbers: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    values: set[Cell] = field(default_factory=set)

    def add(self, value: Cell, number: float | None) -> None:
        """Count one value; squared deviations are updated as by Welford (1962), Technometrics 4(3)."""
        self.rows += 1
        if value is not None and len(self.values) < MOST_CATEGORIES:
            self.values.add(value)
        if number is None or not math.isfinite(number):
            return
        self.numbers += 1
        delta = number - self.mean
        self.mean += delta / self.numbers
        self.squares += delta * (number - self.mean)
        self.low, self.high = min(self.low, number), max(self.high, number)

    @property
    def sd(self) -> float:
        """Standard deviation of the numbers."""
        return math.sqrt(self.squares / self.numbers) if self.numbers else 0.0


def needs_facts(fault: InjectedFault) -> bool:
    """Whether the whole file must be looked at before the fault can be put in."""
    measured = any(text.endswith("sd") for text in fault.options.values())
    return measured or fault.kind in (FaultKind.OUTSIDE, FaultKind.FLIP)


def value_change(fault: InjectedFault, facts: Facts) -> Change:
    """Return what a fault of one field does to its values.

    Raises
    ------
    InjectionError
        The file does not hold what the fault needs.
    """
    if fault.kind in _OF_NUMBERS:
        change = _OF_NUMBERS[fault.kind](fault, facts)
        return lambda value, number, draw: value if number is None else change(number, draw)
    if fault.kind in _CONSTANT:
        constant = _CONSTANT[fault.kind]
        return lambda _value, _number, _draw: constant
    return _OF_VALUES[fault.kind](fault, facts)


def _shift(fault: InjectedFault, facts: Facts) -> Callable[[float, float], Cell]:
    by = _amount(fault, "by", facts)
    return lambda number, _draw: number + by


def _scale(fault: InjectedFault, _facts: Facts) -> Callable[[float, float], Cell]:
    factor = fault.number("factor")
    return lambda number, _draw: number * factor


def _noise(fault: InjectedFault, facts: Facts) -> Callable[[float, float], Cell]:
    sd, normal = _amount(fault, "sd", facts), NormalDist()
    return lambda number, draw: number + sd * normal.inv_cdf(draw)


def _outside(fault: InjectedFault, facts: Facts) -> Callable[[float, float], Cell]:
    if facts.numbers == 0:
        raise InjectionError(
            f"fault {fault.text!r}: found no number in {fault.field}, wanted a numeric field"
        )
    spread = (facts.high - facts.low) or 1.0
    return lambda _number, draw: facts.high + spread * (1.0 + draw)


def _infinite(_fault: InjectedFault, _facts: Facts) -> Callable[[float, float], Cell]:
    return lambda _number, _draw: math.inf


_OF_NUMBERS: Final = {
    FaultKind.SHIFT: _shift,
    FaultKind.SCALE: _scale,
    FaultKind.NOISE: _noise,
    FaultKind.OUTSIDE: _outside,
    FaultKind.INFINITE: _infinite,
}
"""Kinds that leave what is no number as it is."""


def _amount(fault: InjectedFault, option: str, facts: Facts) -> float:
    text = fault.options[option]
    if not text.endswith("sd"):
        return fault.number(option)
    if facts.numbers == 0:
        raise InjectionError(
            f"fault {fault.text!r}: found no number in {fault.field}, wanted a numeric field"
        )
    return float(text.removesuffix("sd")) * facts.sd


def _stuck(fault: InjectedFault, _facts: Facts) -> Change:
    held = [_cell(fault.options["value"])] if "value" in fault.options else []

    def change(value: Cell, _number: float | None, _draw: float) -> Cell:
        if not held and value is not None:
            held.append(value)
        return held[0] if held else value

    return change


def _flip(fault: InjectedFault, facts: Facts) -> Change:
    values = sorted(facts.values, key=lambda value: (str(type(value)), value))
    if len(values) < 2:  # noqa: PLR2004  # a value and another
        raise InjectionError(
            f"fault {fault.text!r}: {fault.field} has one value, wanted two or more to exchange"
        )

    def change(value: Cell, _number: float | None, draw: float) -> Cell:
        others = [other for other in values if other != value]
        return value if value is None else others[int(draw * len(others))]

    return change


def _type(_fault: InjectedFault, _facts: Facts) -> Change:
    return lambda value, number, _draw: 7 if number is None else f"about {value}"


def _category(fault: InjectedFault, _facts: Facts) -> Change:
    name = fault.options["value"]
    return lambda _value, _number, _draw: name


def _vanish(fault: InjectedFault, _facts: Facts) -> Change:
    gone, instead = fault.options["value"], fault.options["into"]
    return lambda value, _number, _draw: instead if value in (gone, _cell(gone)) else value


_CONSTANT: Final[Mapping[FaultKind, Cell]] = {FaultKind.MISSING: None, FaultKind.ZEROS: 0}

_OF_VALUES: Final[Mapping[FaultKind, Callable[[InjectedFault, Facts], Change]]] = {
    FaultKind.STUCK: _stuck,
    FaultKind.TYPE: _type,
    FaultKind.CATEGORY: _category,
    FaultKind.VANISH: _vanish,
    FaultKind.FLIP: _flip,
}


def _cell(text: str) -> Cell:
    """Read a value of an option as a file would hold it."""
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number
