"""Violations of checks: which check, how often, and whether it goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.models import WatchedModel
from service.views.lines import Line, read_line
from state.stores.base import Store
from state.stores.episodes import StoredEpisode


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStanding:
    """One check over all columns and kinds of windows.

    Attributes
    ----------
    going, ended
        Violations that go on, and those that are over.
    columns
        Columns it was violated of; the empty one is the records as a whole.
    last
        Last change of any of them.
    """

    family: str
    check: str
    going: int
    ended: int
    columns: tuple[str, ...]
    last: int


def violations_of(store: Store, model: WatchedModel) -> tuple[StoredEpisode, ...]:
    """Return all violations that are kept, of any family of checks."""
    found = store.episodes(model.name, model_version=model.version)
    return tuple(each for each in found if each.family != "drift")


def by_check(violations: Sequence[StoredEpisode]) -> tuple[CheckStanding, ...]:
    """Sum up violations by check: those with the most that go on first, then those with the most at all."""
    groups: dict[tuple[str, str], list[StoredEpisode]] = {}
    for each in violations:
        groups.setdefault((each.family, each.check), []).append(each)
    standings = [
        CheckStanding(
            family=family,
            check=check,
            going=sum(each.is_open for each in group),
            ended=sum(not each.is_open for each in group),
            columns=tuple(sorted({each.feature for each in group})),
            last=max(each.updated for each in group),
        )
        for (family, check), group in groups.items()
    ]
    return tuple(sorted(standings, key=lambda each: (-each.going, -each.ended, each.family, each.check)))


def lines_of(
    store: Store, model: WatchedModel, violations: Sequence[StoredEpisode], window: str, *, most: int = 6
) -> tuple[Line, ...]:
    """Read what the checks measured that were violated last, each once per column."""
    ordered = sorted(violations, key=lambda each: (not each.is_open, -each.updated, each.id))
    names = dict.fromkeys((each.feature, f"{each.family}.{each.check}") for each in ordered)
    lines = (
        read_line(store, model, window, metric, feature=feature) for feature, metric in list(names)[:most]
    )
    return tuple(line for line in lines if line.points)
