import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.verdicts import Severity, Verdict
from state.episodes import Change, Episode, open_episode, step

LOW, MEDIUM, HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH
RANK = {LOW: 0, MEDIUM: 1, HIGH: 2}


def opened(severity: Severity = LOW, effect: float = 0.05) -> Episode:
    return open_episode(episode_id="e", since=3, opened=7, severity=severity, effect=effect)


def taken(
    episode: Episode, verdict: Verdict, severity: Severity | None = None, *, overlap: int = 1
) -> tuple[Episode, Change | None]:
    return step(episode, verdict=verdict, severity=severity, effect=0.01, overlap=overlap)


@pytest.mark.parametrize(
    ("held", "verdict", "severity", "change", "worst"),
    [
        (LOW, Verdict.DRIFT, LOW, None, LOW),
        (LOW, Verdict.DRIFT, MEDIUM, Change.UPDATED, MEDIUM),
        (LOW, Verdict.DRIFT, HIGH, Change.UPDATED, HIGH),
        (HIGH, Verdict.DRIFT, LOW, None, HIGH),
        (MEDIUM, Verdict.DRIFT, LOW, None, MEDIUM),
        (MEDIUM, Verdict.SUSPECT, None, None, MEDIUM),
        (MEDIUM, Verdict.INSUFFICIENT, None, None, MEDIUM),
        (MEDIUM, Verdict.OK, None, Change.CLOSED, MEDIUM),
    ],
)
def test_what_a_window_does_to_an_episode(
    held: Severity, verdict: Verdict, severity: Severity | None, change: Change | None, worst: Severity
) -> None:
    episode, found = taken(opened(held), verdict, severity)
    assert found is change
    assert episode.severity is worst
    assert (episode.id, episode.since, episode.opened, episode.windows) == ("e", 3, 7, 2)


def test_overlapping_windows_close_after_those_that_share_rows() -> None:
    episode, change = taken(opened(), Verdict.OK, overlap=3)
    assert (episode.calm, change) == (1, None)
    # Too few rows say nothing: neither calm nor the end of calm.
    episode, change = taken(episode, Verdict.INSUFFICIENT, overlap=3)
    assert (episode.calm, change) == (1, None)
    episode, change = taken(episode, Verdict.SUSPECT, overlap=3)
    assert (episode.calm, change) == (0, None)
    for calm in (1, 2):
        episode, change = taken(episode, Verdict.OK, overlap=3)
        assert (episode.calm, change) == (calm, None)
    episode, change = taken(episode, Verdict.OK, overlap=3)
    assert (change, episode.windows) == (Change.CLOSED, 7)


verdicts = st.sampled_from(
    [
        (Verdict.OK, None),
        (Verdict.SUSPECT, None),
        (Verdict.INSUFFICIENT, None),
        (Verdict.DRIFT, LOW),
        (Verdict.DRIFT, MEDIUM),
        (Verdict.DRIFT, HIGH),
    ]
)


@given(
    windows=st.lists(st.tuples(verdicts, st.none() | st.floats(0, 9)), max_size=40), overlap=st.integers(1, 4)
)
def test_laws_of_episodes(
    windows: list[tuple[tuple[Verdict, Severity | None], float | None]], overlap: int
) -> None:
    episode, effects = opened(effect=0.5), [0.5]
    said, told = list[Verdict](), [LOW]
    for (verdict, severity), effect in windows:
        before = episode
        episode, change = step(episode, verdict=verdict, severity=severity, effect=effect, overlap=overlap)
        said.append(verdict)
        if verdict is not Verdict.INSUFFICIENT:
            effects.append(effect or 0.0)
        assert episode.windows == len(said) + 1
        assert episode.peak == max(effects)
        assert RANK[episode.severity] >= RANK[before.severity]
        # A severity is told once, and each one told is higher than all before.
        if change is Change.UPDATED:
            told.append(episode.severity)
        assert told == sorted(set(told), key=RANK.__getitem__)
        assert episode.severity is told[-1]
        heard = [v for v in said if v is not Verdict.INSUFFICIENT]
        calm = len(heard) >= overlap and set(heard[-overlap:]) == {Verdict.OK}
        assert (change is Change.CLOSED) == (calm and verdict is not Verdict.INSUFFICIENT)
        if change is Change.CLOSED:
            return
