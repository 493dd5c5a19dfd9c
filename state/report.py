"""From the evidence of all columns of one window to verdicts, episodes, events and series."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from detectors.checks import Family
from detectors.multiplicity import family_q_values
from state.alarms import Alarms, BlockEvidence
from state.check_events import CheckEvents
from state.check_report import CheckReport, HeldViolation, noted
from state.decisions import hear
from state.episodes import Change, Episode, open_episode, step
from state.event_data import FeatureData
from state.event_factory import EventFactory
from state.report_context import ReportContext
from state.scoring import Evidence, Found, Gap, Scored
from state.stores.base import Point, StoredEvent
from state.stores.episodes import StoredEpisode

Output = StoredEvent | StoredEpisode | Point
"""What a report sends to the sinks."""

_WindowKey = tuple[int, int, int, bool]


class _State(msgspec.Struct):
    pending: list[tuple[_WindowKey, list[Evidence]]]
    episodes: list[tuple[int, str, Episode]]
    # Not in version 1, which knew windows only.
    blocks: list[tuple[tuple[str, int], list[BlockEvidence]]] = []
    alarms: dict[str, bytes] = {}
    violations: list[HeldViolation] = []


class Report:
    """Waits until every column has sent its evidence of a window, then judges the window as a whole.

    Every column sends the same windows in the same order, so windows are complete in that order too: what
    comes out does not depend on how columns interleave.
    """

    def __init__(self, context: ReportContext, resume: bytes | None = None) -> None:
        """Begin, or go on from what `snapshot` returned."""
        self._context = context
        self._factory = EventFactory(context)
        state = _State([], []) if resume is None else msgspec.msgpack.decode(resume, type=_State)
        self._pending = {key: {e.found.feature: e for e in items} for key, items in state.pending}
        self._blocks = {key: {b.feature: b for b in items} for key, items in state.blocks}
        self._episodes = {(spec, feature): episode for spec, feature, episode in state.episodes}
        self._checks = CheckReport(CheckEvents(context), state.violations)
        self._alarms = {
            version: self._begin_alarms(version, state.alarms.get(version)) for version in context.evidence
        }

    def add(self, evidence: Iterable[Evidence | BlockEvidence]) -> list[Output]:
        """Take evidence of any columns; return what the windows that it completes give."""
        outputs: list[Output] = []
        tracks = self._context.tracks
        for item in evidence:
            if isinstance(item, BlockEvidence):
                self._blocks.setdefault((item.reference, item.end), {})[item.feature] = item
                self._weigh_blocks()
                continue
            found = item.found
            key = (found.spec, found.start, found.end, isinstance(found, Gap))
            held = self._pending.setdefault(key, {})
            held[found.feature] = item
            if len(held) == len(tracks):
                del self._pending[key]
                outputs.extend(self._complete([held[name] for name in tracks]))
                self._weigh_blocks()
        return outputs

    @property
    def open_episodes(self) -> dict[str, int]:
        """Episodes that are open, by the name of their window."""
        specs = Counter(spec for spec, _ in self._episodes)
        return {window.name: specs[window.index] for window in self._context.grid.windows}

    @property
    def open_violations(self) -> dict[tuple[str, Family], int]:
        """Violations of checks that are open, by the name of their window and their family."""
        return self._checks.open

    def snapshot(self) -> bytes:
        """Pack the state."""
        return msgspec.msgpack.encode(
            _State(
                pending=[(key, list(items.values())) for key, items in self._pending.items()],
                episodes=[(spec, feature, e) for (spec, feature), e in self._episodes.items()],
                blocks=[(key, list(items.values())) for key, items in self._blocks.items()],
                alarms={version: alarms.snapshot() for version, alarms in self._alarms.items()},
                violations=self._checks.snapshot(),
            )
        )

    def _begin_alarms(self, version: str, resume: bytes | None) -> Alarms:
        columns = self._context.evidence[version]
        asked = {name: each.questions for name, each in columns.items()}
        return Alarms(self._context.alarms, asked, resume)

    def _weigh_blocks(self) -> None:
        """Weigh blocks in order, each once all columns have sent theirs and all windows before it are judged.

        Only tracks that are no columns can hold such windows up: they send no blocks. A window must not be
        judged by what came after it because of how far its columns were ahead of them.
        """
        family = self._context.features
        for (reference, end), held in list(self._blocks.items()):
            if len(held) < len(family) or any(
                closed < end for _, _, closed, is_gap in self._pending if not is_gap
            ):
                return
            del self._blocks[reference, end]
            self._alarms[reference].add([held[name] for name in family])

    def _complete(self, tracks: list[Evidence]) -> list[Output]:
        """Judge one window: what happened to drifts, then to violations; the report, then its points."""
        family = tracks[: len(self._context.features)]
        first = family[0].found
        scored = [item.found for item in family if isinstance(item.found, Scored)]
        if isinstance(first, Gap):
            return self._empty(first, [item.found for item in tracks])
        results = self._judge(family, scored)
        outputs: list[Output] = []
        for item, found, result in zip(family, scored, results, strict=True):
            told = self._episode(item, found, result)
            if told is not None:
                outputs.append(self._factory.drift(*told, found, result))
                outputs.append(self._factory.episode(*told, found))
        windows = [item.found for item in tracks]
        return [
            *outputs,
            *self._checks.add(windows),
            self._factory.report(scored[0], results, noted(windows)),
            *self._factory.points(scored, results),
            *self._checks.points(windows),
        ]

    def _empty(self, first: Gap, windows: list[Found]) -> list[Output]:
        """Tell of windows without rows."""
        # Where clocks are set forward, windows of the skipped hour have no length and nothing to tell.
        if not self._factory.has_length(first):
            return []
        return [*self._checks.add(windows), self._factory.report(first, (), noted(windows))]

    def _judge(self, family: list[Evidence], scored: list[Scored]) -> list[FeatureData]:
        """Give verdicts, over all columns of the window as one family."""
        enough = self._context.rules.min_rows
        q_values = family_q_values(
            [found.p_value if found.n >= enough else None for found in scored], self._context.rules.correction
        )
        alarms = self._alarms.get(scored[0].reference)
        values = {} if alarms is None else alarms.evidence()
        return [
            self._factory.feature(item, found, q, None if alarms is None else hear(alarms, values, found))
            for item, found, q in zip(family, scored, q_values, strict=True)
        ]

    def _episode(self, item: Evidence, found: Scored, result: FeatureData) -> tuple[Change, Episode] | None:
        """Take one column's verdict into its episode; None where there is nothing to tell."""
        key = (found.spec, found.feature)
        held = self._episodes.get(key)
        change: Change | None = Change.OPENED
        if held is None:
            if result.severity is None:
                return None
            alarms = self._alarms.get(found.reference)
            alarm = None if alarms is None else alarms.standing(found.feature, found.start, found.end)
            episode = open_episode(
                episode_id=self._factory.episode_id(found),
                since=item.since if alarm is None else alarm.since,
                opened=found.end,
                severity=result.severity,
                effect=result.effect or 0.0,
            )
        else:
            overlap = self._context.grid.windows[found.spec].overlap
            episode, change = step(
                held,
                verdict=result.verdict,
                severity=result.severity,
                effect=result.effect,
                overlap=overlap,
            )
        if change is Change.CLOSED:
            del self._episodes[key]
        else:
            self._episodes[key] = episode
        return None if change is None else (change, episode)
