"""Faults as people write them: a kind, a field, and how much of what from where to where."""

import difflib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from detectors.base import DriftflowError
from flows.injection.forms import FORMS, FaultKind, Form


class InjectionError(DriftflowError):
    """A fault cannot be read, or not be put into this file."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A row, or a part of the rows in ``0..1``."""

    row: int | None
    part: float = 0.0

    def of(self, rows: int) -> int:
        """Return the row, at most `rows`."""
        return min(round(self.part * rows) if self.row is None else self.row, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectedFault:
    """One fault.

    Attributes
    ----------
    text
        As it was written.
    field
        Header of a CSV file, or keys of nested JSON objects joined by dots; empty where it is one of rows.
    share
        Probability that a row between `start` and `end` is hit.
    where
        Field and text that a row must hold to be hit; None: all may be.
    """

    kind: FaultKind
    text: str
    field: str
    options: Mapping[str, str]
    start: Bound
    end: Bound
    share: float
    where: tuple[str, str] | None = None

    @property
    def form(self) -> Form:
        """What is known of its kind."""
        return FORMS[self.kind]

    def number(self, option: str) -> float:
        """Read an option that is a number.

        Raises
        ------
        InjectionError
            It is none.
        """
        return _number(self.options[option], option, self.text)


def parse_fault(text: str) -> InjectedFault:
    """Read ``KIND [FIELD] [option=value ...]``; words with blanks are quoted as in a shell.

    Raises
    ------
    InjectionError
        It is not written so; the message says what was found and what is wanted.

    Examples
    --------
    >>> fault = parse_fault("missing income share=20% from=50%")
    >>> fault.field, fault.share, fault.start.of(1000), fault.end.of(1000)
    ('income', 0.2, 500, 1000)
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InjectionError(f"fault {text!r}: {error}; close the quotes") from error
    kind = _kind(words[0] if words else "", text)
    form = FORMS[kind]
    plain = [word for word in words[1:] if not re.match(r"[a-z]+=", word)]
    if len(plain) != form.field:
        found = " ".join(plain) or "no field"
        raise InjectionError(f"fault {text!r}: found {found}, wanted {kind} {form.usage}")
    options = dict(word.split("=", 1) for word in words[1:] if word not in plain)
    _check_options(kind, options, text)
    bounds = {"from": "0%", "to": "100%"} | options
    share = _share(options.pop("share", "100%"), text)
    fault = InjectedFault(
        kind=kind,
        text=text,
        field=plain[0] if plain else "",
        options={name: value for name, value in options.items() if name not in ("from", "to", "where")},
        start=_bound(bounds["from"], "from", text),
        end=_bound(bounds["to"], "to", text),
        share=share,
        where=_where(options.pop("where", None), text),
    )
    _check_numbers(fault)
    return fault


def _kind(word: str, text: str) -> FaultKind:
    try:
        return FaultKind(word)
    except ValueError:
        near = difflib.get_close_matches(word, list(FaultKind), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InjectionError(
            f"fault {text!r}: kind {word!r} is unknown, wanted one of {', '.join(FaultKind)}{hint}"
        ) from None


def _check_options(kind: FaultKind, options: Mapping[str, str], text: str) -> None:
    form = FORMS[kind]
    known = {*form.wanted, *form.possible, "from", "to", "share", "where"}
    unknown, lacking = sorted(set(options) - known), [name for name in form.wanted if name not in options]
    if unknown or lacking:
        found = f"unknown {unknown[0]}=" if unknown else f"no {lacking[0]}="
        raise InjectionError(
            f"fault {text!r}: found {found}, wanted {kind} {form.usage} [share=…] [from=…] [to=…] [where=…]"
        )


def _check_numbers(fault: InjectedFault) -> None:
    """Refuse at once what the first row would refuse."""
    if fault.kind is FaultKind.SCALE:
        fault.number("factor")
    if fault.kind is FaultKind.BURST and fault.number("times") not in range(2, 1001):
        raise InjectionError(
            f"fault {fault.text!r}: times is {fault.options['times']}, wanted a whole number from 2 to 1000"
        )
    for option in ("by", "sd"):
        if option in fault.options:
            _number(fault.options[option].removesuffix("sd"), option, fault.text)


def _number(text: str, option: str, fault: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InjectionError(f"fault {fault!r}: {option} is {text!r}, wanted a number") from None


def _share(text: str, fault: str) -> float:
    share = _percent(text, "share", fault) if text.endswith("%") else _number(text, "share", fault)
    if not 0.0 < share <= 1.0:
        raise InjectionError(f"fault {fault!r}: share is {text}, wanted more than 0 % and at most 100 %")
    return share


def _where(text: str | None, fault: str) -> tuple[str, str] | None:
    if text is None:
        return None
    field, colon, value = text.partition(":")
    if not field or not colon:
        raise InjectionError(f"fault {fault!r}: where is {text!r}, wanted FIELD:VALUE such as country:DE")
    return field, value


def _percent(text: str, option: str, fault: str) -> float:
    return _number(text.removesuffix("%"), option, fault) / 100


def _bound(text: str, option: str, fault: str) -> Bound:
    if text.endswith("%"):
        part = _percent(text, option, fault)
        if 0.0 <= part <= 1.0:
            return Bound(None, part)
    elif text.isascii() and text.isdigit():
        return Bound(int(text))
    raise InjectionError(
        f"fault {fault!r}: {option} is {text!r}, wanted a row such as 5000 or a part such as 50%"
    )
