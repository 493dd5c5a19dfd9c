"""The kinds of faults that can be put into a file: how each is written, and what it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from detectors.checks import Family


class FaultKind(StrEnum):
    """What is done to the rows that a fault hits."""

    SHIFT = "shift"
    SCALE = "scale"
    NOISE = "noise"
    MISSING = "missing"
    ABSENT = "absent"
    ZEROS = "zeros"
    STUCK = "stuck"
    OUTSIDE = "outside"
    INFINITE = "infinite"
    TYPE = "type"
    CATEGORY = "category"
    VANISH = "vanish"
    FLIP = "flip"
    EXTRA = "extra"
    DUPLICATE = "duplicate"
    DROP = "drop"
    BURST = "burst"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How one kind of fault is written, and what it is.

    Attributes
    ----------
    field
        Whether a field is named.
    wanted, possible
        Options that must and that may be given, beside `from`, `to` and `share`.
    family
        What it is a fault of; None: a drift of the field's law.
    """

    field: bool = True
    wanted: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()
    family: Family | None = None
    check: str = ""
    description: str

    @property
    def usage(self) -> str:
        """What follows the kind."""
        parts = ["FIELD"] if self.field else []
        parts += [f"{name}=…" for name in self.wanted]
        parts += [f"[{name}=…]" for name in self.possible]
        return " ".join(parts)


_QUALITY: Final = Family.QUALITY

FORMS: Final[Mapping[FaultKind, Form]] = {
    FaultKind.SHIFT: Form(
        wanted=("by",), description="Adds `by` to numbers; `0.5sd` means standard deviations of the file."
    ),
    FaultKind.SCALE: Form(wanted=("factor",), description="Multiplies numbers by `factor`."),
    FaultKind.NOISE: Form(
        wanted=("sd",), description="Adds normal noise to numbers, with a deviation such as `3` or `0.5sd`."
    ),
    FaultKind.MISSING: Form(
        family=_QUALITY, check="missing_share", description="Takes values away: null, or an empty cell."
    ),
    FaultKind.ABSENT: Form(
        family=_QUALITY, check="absent_fields", description="Takes the field itself away; JSON only."
    ),
    FaultKind.ZEROS: Form(family=_QUALITY, check="zero_share", description="Makes values 0."),
    FaultKind.STUCK: Form(
        possible=("value",),
        family=_QUALITY,
        check="constant",
        description="Repeats `value`, by default the value of the first row that is hit.",
    ),
    FaultKind.OUTSIDE: Form(
        family=_QUALITY,
        check="out_of_range",
        description="Moves numbers beyond the largest of the file, by once its range.",
    ),
    FaultKind.INFINITE: Form(
        family=_QUALITY,
        check="non_finite_share",
        description="Makes numbers infinite, as a division by 0 does.",
    ),
    FaultKind.TYPE: Form(
        family=_QUALITY, check="type_changes", description="Writes numbers as words, and words as numbers."
    ),
    FaultKind.CATEGORY: Form(
        wanted=("value",),
        family=_QUALITY,
        check="new_share",
        description="Makes values `value`, a new category.",
    ),
    FaultKind.VANISH: Form(
        wanted=("value", "into"),
        family=_QUALITY,
        check="vanished_share",
        description="Turns `value` into `into`, so that a category is no more.",
    ),
    FaultKind.FLIP: Form(
        family=Family.PERFORMANCE,
        description="Replaces values by another of the file's, as labels that are wrong.",
    ),
    FaultKind.EXTRA: Form(
        possible=("value",),
        family=_QUALITY,
        check="unknown_fields",
        description="Adds a field that was not there; JSON only.",
    ),
    FaultKind.DUPLICATE: Form(
        field=False, family=_QUALITY, check="duplicate_share", description="Writes rows a second time."
    ),
    FaultKind.DROP: Form(
        field=False,
        family=_QUALITY,
        check="low_volume",
        description="Leaves rows out; all of them: a gap.",
    ),
    FaultKind.BURST: Form(
        field=False,
        wanted=("times",),
        possible=("id",),
        family=_QUALITY,
        check="volume_burst",
        description="Writes rows `times` times; with `id=FIELD` each copy has an id of its own.",
    ),
}
"""What may follow `--inject`."""
