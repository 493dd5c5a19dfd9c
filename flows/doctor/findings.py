"""What an examination finds: one line each, with what to do where something is wrong."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from detectors.base import DriftflowError


class Health(StrEnum):
    """How one thing is."""

    OK = "ok"
    WARNING = "warning"
    """A run would start; somebody should look."""
    PROBLEM = "problem"
    """A run would not start, or would not give what is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    area
        What it belongs to: a section of the configuration.
    text
        What was found.
    advice
        What to do; empty where nothing needs doing.
    """

    area: str
    health: Health
    text: str
    advice: str = ""


def fine(area: str, text: str) -> Finding:
    """Tell that something is as it should be."""
    return Finding(area=area, health=Health.OK, text=text)


def doubtful(area: str, text: str, advice: str) -> Finding:
    """Tell what does not stop a run."""
    return Finding(area=area, health=Health.WARNING, text=text, advice=advice)


def broken(area: str, text: str, advice: str = "") -> Finding:
    """Tell what stops a run."""
    return Finding(area=area, health=Health.PROBLEM, text=text, advice=advice)


def looked_at(area: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Give what a look finds; an error that ends it is a finding too, and what was found before it stays."""
    try:
        yield from look()
    except (DriftflowError, OSError) as error:
        yield broken(area, str(error))
