"""What was found next to what is true, for streams whose drift is known."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from rich.text import Text

from detectors.verdicts import Severity
from flows.render.checks import FoundViolation
from flows.render.findings import FoundEpisode
from flows.render.grid import Cell, Field, Row, grid, note_lines
from flows.render.styles import severity_cell
from flows.render.words import NOTHING, clock, effect_text
from flows.scenarios.truth_file import FeatureTruth, SpanTruth, TruthFile

_FIELDS = (
    Field(title="feature", least=10),
    Field(title="drift", leaves=3),
    Field(title="true start"),
    Field(title="detected"),
    Field(title="delay", right=True, leaves=1),
    Field(title="severity"),
    Field(title="effect", right=True, leaves=2),
)

RECORDS = "(records)"
"""Stands for the records as a whole, which are no feature."""

_STILL_FIELDS = (Field(title="feature", least=10), Field(title="false alarms"))


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """One true drift and the episode that found it.

    Attributes
    ----------
    delay
        Windows that ended after the drift began, up to and with the one that opened the episode.
    """

    feature: str
    kind: str
    began: str
    detected: str | None
    delay: int | None
    severity: Severity | None
    effect: float | None


class FalseAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """An episode, or a violation of a check, where nothing had drifted."""

    feature: str
    window: str
    detected: str


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Findings held against the truth; `checks` are those that a drift violates, with its feature."""

    matches: tuple[Match, ...]
    still: tuple[str, ...]
    false_alarms: tuple[FalseAlarm, ...]
    checks: tuple[tuple[str, str], ...]


def hold_against(
    truth: TruthFile,
    episodes: Sequence[FoundEpisode],
    *,
    window: str,
    size_ms: int,
    violations: Sequence[FoundViolation] = (),
) -> Held:
    """Find for every true drift the first episode of a tumbling window that shows it.

    An episode shows a drift where the window that opened it reaches into it. Episodes of any kind of window
    that show no true drift of their feature are false alarms, and so are violations of checks.

    Parameters
    ----------
    window, size_ms
        Name of the tumbling window whose episodes are matched, and the size that all windows have.
    """
    matches = []
    for feature in truth.features:
        own = [e for e in episodes if e.feature == feature.feature and e.window == window]
        matches += [_match(feature, span, own, size_ms) for span in feature.spans]
    known = {feature.feature: feature.spans for feature in truth.features}

    def is_true(told: FoundEpisode | FoundViolation) -> bool:
        return any(_overlaps(told, span, size_ms) for span in known.get(told.feature, ()))

    alarms: list[FoundEpisode | FoundViolation] = [*episodes, *violations]
    false = [
        FalseAlarm(feature=told.feature or RECORDS, window=told.window, detected=str(told.opened))
        for told in alarms
        if not is_true(told)
    ]
    still = tuple(feature.feature for feature in truth.features if not feature.spans)
    checks = dict.fromkeys((each.check, each.feature) for each in violations if is_true(each))
    return Held(matches=tuple(matches), still=still, false_alarms=tuple(false), checks=tuple(checks))


def truth_lines(held: Held, window: str, width: int) -> Iterator[Text]:
    """Write both next to each other for a terminal of `width` cells."""
    write, note = clock(at for match in held.matches for at in (match.began, match.detected))
    title = f"What drifts, and when the {window} windows told ({note}; delay in windows)"
    yield from note_lines(title, width, indent=1, style="bold")
    rows, before = [], ""
    for match in held.matches:
        again = match.feature == before
        before = match.feature
        rows.append(
            Row(
                (
                    "" if again else match.feature,
                    "" if again else match.kind,
                    write(match.began),
                    Cell("not seen", "bold red") if match.detected is None else write(match.detected),
                    NOTHING if match.delay is None else f"{match.delay:,}",
                    severity_cell(match.severity),
                    effect_text(match.effect),
                )
            )
        )
    yield grid(_FIELDS, rows, width)
    yield Text()
    alarms: dict[str, list[FalseAlarm]] = {}
    for alarm in held.false_alarms:
        alarms.setdefault(alarm.feature, []).append(alarm)
    moving = [name for name in alarms if name not in held.still]
    yield Text(" What stays as it is", "bold")
    yield grid(_STILL_FIELDS, [Row((name, _alarms_cell(alarms.get(name, [])))) for name in held.still], width)
    if moving:
        told = "; ".join(f"{name}: {_alarms_text(alarms[name])}" for name in moving)
        yield from note_lines(f"Alarms before or after the drift: {told}", width, indent=1, style="yellow")
    if held.checks:
        told = ", ".join(f"{check} of {feature}" for check, feature in held.checks)
        yield Text()
        yield from note_lines(f"Checks that a drift violates: {told}", width, indent=1, style="")


def _match(feature: FeatureTruth, span: SpanTruth, episodes: Sequence[FoundEpisode], size_ms: int) -> Match:
    found = next((e for e in episodes if _overlaps(e, span, size_ms)), None)
    delay = None if found is None else max(-(-(_ms(found.opened) - _ms(span.start)) // size_ms), 0)
    return Match(
        feature=feature.feature,
        kind=str(feature.drift),
        began=span.start,
        detected=None if found is None else str(found.opened),
        delay=delay,
        severity=None if found is None else found.severity,
        effect=None if found is None else found.peak_effect,
    )


def _overlaps(episode: FoundEpisode | FoundViolation, span: SpanTruth, size_ms: int) -> bool:
    """Whether the window that opened an episode or a violation reaches into a true drift."""
    opened = _ms(episode.opened)
    return opened > _ms(span.start) and opened - size_ms < _ms(span.end)


def _ms(instant: str | int) -> int:
    return instant if isinstance(instant, int) else round(datetime.fromisoformat(instant).timestamp() * 1_000)


def _alarms_cell(alarms: Sequence[FalseAlarm]) -> Cell:
    return Cell(_alarms_text(alarms), "bold red") if alarms else Cell("no", "green")


def _alarms_text(alarms: Sequence[FalseAlarm]) -> str:
    write, _ = clock(alarm.detected for alarm in alarms)
    return ", ".join(f"{alarm.window} at {write(alarm.detected)}" for alarm in alarms)
