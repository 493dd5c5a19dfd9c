"""How a model stands: what the pages and the API show of all models at a glance."""

from dataclasses import dataclass

import msgspec

from detectors.verdicts import Severity
from service.models import WatchedModel
from service.views.lines import last_report
from state.stores.base import Store
from state.stores.episodes import StoredEpisode

_DRIFT = "drift"
_ORDER = {Severity.HIGH: 3, Severity.MEDIUM: 2, Severity.LOW: 1}


class _Window(msgspec.Struct):
    rows: int


class _Data(msgspec.Struct):
    drift_share: float
    window: _Window


class _Report(msgspec.Struct):
    """What is read of a report here; the rest of it is passed over."""

    data: _Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A model at a glance.

    Attributes
    ----------
    reference
        Version it was last told to be compared with; None where there is none.
    last_window
        End of the last window there is a report on; None before the first.
    drift_share, rows
        Of the last window of the first kind; None before it.
    drifting
        Columns with an open drift, in any kind of window, the most severe first.
    severity
        The highest of those; empty where nothing drifts.
    violations
        Open violations of checks.
    episodes
        All that is open: a drift in each kind of window, and violations.
    """

    reference: str | None
    last_window: int | None
    drift_share: float | None
    rows: int | None
    drifting: tuple[str, ...]
    severity: str
    violations: int
    episodes: int

    @property
    def told(self) -> str:
        """Say it in a sentence."""
        if self.reference is None:
            return "No reference is active: nothing is compared."
        if self.last_window is None:
            return "No window has closed yet."
        parts = []
        if self.drifting:
            parts.append(f"Drift in {counted(len(self.drifting), 'column')}, {self.severity} at most")
        if self.violations:
            parts.append(f"{counted(self.violations, 'check')} violated")
        return "; ".join(parts) + "." if parts else "Nothing drifts, and no check is violated."

    @property
    def level(self) -> str:
        """Return the class of its banner: a severity, "suspect" for violations alone, "ok" or "nothing"."""
        if self.last_window is None:
            return "nothing"
        return self.severity or ("suspect" if self.violations else "ok")


def standing_of(store: Store, model: WatchedModel) -> Standing:
    """Read how a model stands."""
    activations = store.activations(model.name, model.version)
    found = store.episodes(model.name, model_version=model.version, open_only=True)
    drifts = sorted((each for each in found if each.family == _DRIFT), key=_by_severity)
    last = last_report(store, model)
    first = last
    if last is not None and last.window != model.windows[0].name:
        first = last_report(store, model, model.windows[0].name)
    # The report has been read anyway: its figures cost no other look at the store.
    data = None if first is None else msgspec.json.decode(first.body, type=_Report).data
    return Standing(
        reference=activations[-1].version if activations else None,
        last_window=None if last is None else last.end,
        drift_share=None if data is None else data.drift_share,
        rows=None if data is None else data.window.rows,
        drifting=tuple(dict.fromkeys(each.feature for each in drifts)),
        severity=drifts[0].severity if drifts else "",
        violations=len(found) - len(drifts),
        episodes=len(found),
    )


def rank(severity: str) -> int:
    """Order severities: 3 the highest, 0 none."""
    return _ORDER[Severity(severity)] if severity else 0


def counted(number: int, noun: str) -> str:
    """Write a number of things.

    Examples
    --------
    >>> counted(1, "column"), counted(2, "column")
    ('1 column', '2 columns')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _by_severity(episode: StoredEpisode) -> tuple[int, str]:
    return -rank(episode.severity), episode.feature
