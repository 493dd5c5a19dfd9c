"""Limits against their definitions, what they do to a lasting drift, and how often they are exceeded."""

import math
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import threshold_registry
from detectors.base import FloatArray, Kind, Summary
from detectors.calibration import Calibration
from detectors.chunk_limit import FEWEST_CHUNKS, chunk_scores
from detectors.divergences import Psi
from detectors.ordered import KolmogorovSmirnov
from detectors.testing.summaries import numeric
from detectors.threshold_registry import ThresholdPluginError, UnknownThresholdError, threshold
from detectors.thresholds import (
    Ewma,
    Exceeding,
    History,
    Limit,
    State,
    Threshold,
    ThresholdOptionError,
    WindowScore,
    exceeds,
)
from tests.contracts.threshold import KNOWN, UNKNOWN, run, scored

HERE = "tests.detectors.test_thresholds"
SCORES = st.lists(st.floats(0, 100), min_size=3, max_size=40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Largest:
    """A plug-in as another package would write it."""

    name: ClassVar[str] = "largest"
    factor: float = 1.0

    def start(self) -> State:
        return ()

    def judge(self, state: State, found: WindowScore) -> tuple[Limit, State]:
        value = self.factor * state[0] if state else None
        return Limit(value=value, source="largest so far"), (max([found.score, *state]),)


class NoThreshold:
    name = "nothing"


def plugin(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=threshold_registry.ENTRY_POINT_GROUP)


@given(scores=SCORES, windows=st.integers(2, 8), exceeding=st.sampled_from(Exceeding))
def test_a_history_is_mean_and_deviation_of_the_last_windows(
    scores: list[float], windows: int, exceeding: Exceeding
) -> None:
    limits, _ = run(History(windows=windows, sigmas=2, least=2, exceeding=exceeding), scores)
    learnt: list[float] = []
    for score, limit in zip(scores, limits, strict=True):
        last = learnt[-windows:]
        if len(last) < 2:
            assert limit == Limit(value=None, source=f"none yet: {len(last)} of 2 windows seen")
        else:
            assert limit.value == pytest.approx(np.mean(last) + 2 * np.std(last, ddof=1))
            assert limit.source == f"mean + 2 standard deviations of the {len(last)} windows before"
        if not exceeds(score, limit) or exceeding is Exceeding.LEARN:
            learnt.append(score)
        elif exceeding is Exceeding.CAP and limit.value is not None:
            learnt.append(limit.value)


@given(scores=SCORES, span=st.floats(2, 20))
def test_an_ewma_is_a_weighted_mean_and_variance(scores: list[float], span: float) -> None:
    limits, _ = run(Ewma(span=span, sigmas=2, least=2, exceeding=Exceeding.LEARN), scores)
    for count in range(2, len(scores)):
        steps = [max(2 / (span + 1), 1 / (i + 1)) for i in range(count)]
        weights = np.array(
            [step * np.prod([1 - later for later in steps[i + 1 :]]) for i, step in enumerate(steps)]
        )
        assert weights.sum() == pytest.approx(1)
        mean = weights @ scores[:count]
        variance = weights @ (np.array(scores[:count]) - mean) ** 2
        assert limits[count].value == pytest.approx(mean + 2 * np.sqrt(variance), rel=1e-6, abs=1e-5)


def test_while_there_are_few_windows_an_ewma_weighs_them_alike() -> None:
    scores = np.random.default_rng(1).exponential(size=20).tolist()
    limits, state = run(Ewma(span=48, least=24), scores)
    assert all(limit.value is None for limit in limits)
    assert state == pytest.approx((20.0, np.mean(scores), np.var(scores)))


@pytest.mark.parametrize("name", ["history", "ewma"])
def test_how_long_a_lasting_drift_is_told_is_chosen(name: str) -> None:
    rng = np.random.default_rng(2)
    scores = [*rng.chisquare(9, 200).tolist(), *(rng.chisquare(9, 200) + 60).tolist()]
    told = {}
    for exceeding in Exceeding:
        limits, _ = run(threshold(name, {"exceeding": exceeding}), scores)
        told[exceeding] = [exceeds(s, limit) for s, limit in zip(scores, limits, strict=True)][200:]
    assert all(each[0] for each in told.values())
    assert sum(told[Exceeding.LEARN]) < sum(told[Exceeding.CAP]) < sum(told[Exceeding.SKIP]) == 200
    # What is left are false alarms at the new level.
    assert sum(told[Exceeding.LEARN][48:]) <= 6
    assert sum(told[Exceeding.CAP][100:]) <= 6


def test_chunks_are_scored_against_all_other_rows() -> None:
    chunks = np.random.default_rng(5).multinomial(40, [0.2, 0.3, 0.5], size=7)
    wanted = []
    for start in (0, 2, 4):
        held = chunks[start : start + 2].sum(axis=0)
        rest = chunks.sum(axis=0) - held
        found = Psi().compare(_counts(rest), _counts(held)).score
        assert found is not None
        wanted.append(found)
    assert chunk_scores(chunks, Psi(), Kind.CATEGORICAL, 2).tolist() == sorted(wanted)


def _counts(counts: np.ndarray) -> Summary:
    return Summary(kind=Kind.CATEGORICAL, counts=counts, groups=np.arange(counts.size), continuous=False)


@pytest.mark.parametrize(
    ("n", "quantile", "rank", "source"),
    [
        (50, 0.9, 59, "quantile 0.9 of 64 reference chunks"),
        (50, 0.99, 64, "largest of 64 reference chunks, too few for quantile 0.99"),
        (110, 0.5, 17, "quantile 0.5 of 32 reference chunks"),
    ],
)
def test_the_limit_is_the_quantile_of_chunks_of_the_windows_size(
    n: int, quantile: float, rank: int, source: str
) -> None:
    limit, _ = threshold("reference", {"quantile": quantile}).judge((), scored(1.0, n=n))
    calibration = KNOWN.calibration
    assert calibration is not None
    assert calibration.chunks is not None
    scores = chunk_scores(calibration.chunks, Psi(), Kind.CATEGORICAL, round(n / 50))
    assert limit == Limit(value=scores[rank - 1], source=source)


def test_a_band_is_mean_and_deviation_of_chunks_against_all_rows() -> None:
    assert KNOWN.calibration is not None
    chunks = KNOWN.calibration.chunks
    assert chunks is not None
    wanted = [Psi().compare(_counts(chunks.sum(axis=0)), _counts(chunk)).score or 0.0 for chunk in chunks]
    limit, _ = threshold("chunks", {"sigmas": 2}).judge((), scored(1.0, n=50))
    # numpy's deviation has n degrees of freedom, as NannyML's.
    assert limit.value == pytest.approx(float(np.mean(wanted) + 2 * np.std(wanted)))
    assert limit.source == "mean + 2 standard deviations of 64 reference chunks"
    # 64 spans make 3 chunks of 20.
    few, _ = threshold("chunks", {"least": 4}).judge((), scored(1.0, n=1_000))
    assert (few.value, few.source) == (None, "none: 3 reference chunks of the window's rows, 4 are wanted")
    assert threshold("chunks", {"least": 3}).judge((), scored(1.0, n=1_000))[0].value is not None


def test_a_constant_may_grant_small_windows_their_noise() -> None:
    judge = threshold("constant", {"value": 0.1, "margin": 1.8}).judge
    limit, _ = judge((), scored(0.2, n=500))
    assert limit.value == pytest.approx(0.1 + 1.8 * math.sqrt(1 / 500 + 1 / KNOWN.n))
    assert limit.source == "given in the configuration, plus 1.8 sqrt(1 / n + 1 / m)"
    large = judge((), scored(0.2, n=10**9))[0].value
    assert large is not None
    assert limit.value is not None
    assert large < limit.value


def test_a_constant_may_be_counted_in_deviations_of_the_reference() -> None:
    rows = [0.0, 2.0, 4.0, 10.0]
    limit, _ = threshold("constant", {"value": 0.5, "unit": "deviation"}).judge(
        (), scored(1.0, of=numeric(rows, [1.0, 3.0]))
    )
    assert limit.value == pytest.approx(0.5 * float(np.std(rows)))
    assert limit.source == "given in the configuration, 0.5 standard deviations of the reference"
    none, _ = threshold("constant", {"value": 0.5, "unit": "deviation"}).judge((), scored(1.0))
    assert none.source == "none: the reference has no standard deviation"


def test_without_chunks_of_the_windows_size_there_is_no_limit_and_a_reason() -> None:
    judge = threshold("reference", {}).judge
    bare = Summary(kind=KNOWN.kind, counts=KNOWN.counts, groups=KNOWN.groups, continuous=False)
    for found, reason in (
        (scored(1.0, of=bare), "built without counting its spans"),
        (scored(1.0, n=20), "fewer rows than a span"),
        (scored(1.0, n=2_000), f"1 reference chunks of the window's rows, {FEWEST_CHUNKS} are wanted"),
        (scored(1.0, of=UNKNOWN), f"{FEWEST_CHUNKS} are wanted"),
        (scored(1.0, detector=KolmogorovSmirnov()), "ks reads more than that"),
    ):
        limit, state = judge((), found)
        assert limit.value is None
        assert reason in limit.source
        assert state == ()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("constant", {}, "missing required field `value`"),
        ("constant", {"value": -1}, "`value`: found -1.0, wanted a number of at least 0"),
        ("constant", {"value": float("nan")}, "`value`: found nan, wanted a number of at least 0"),
        ("constant", {"value": 1, "margin": -1}, "`margin`: found -1.0, wanted a number of at least 0"),
        ("chunks", {"least": 1}, "`least`: found 1, wanted a whole number of 2 or more"),
        ("history", {"windows": 1}, "`windows`: found 1, wanted a whole number from 2 to 10,000"),
        ("history", {"windows": 2.5}, "Expected `int`, got `float` - at `\\$.windows`"),
        ("history", {"least": 49}, "`least`: found 49, wanted a whole number from 2 to 48"),
        ("history", {"sigmas": 0}, "`sigmas`: found 0.0, wanted a number above 0"),
        ("history", {"wndows": 3}, "`wndows`: no option of threshold 'history', which has windows, sigmas"),
        ("history", {"exceeding": "forget"}, "Invalid enum value 'forget'"),
        ("ewma", {"span": 1}, "`span`: found 1.0, wanted a number of windows from 2 to 10,000"),
        ("reference", {"quantile": 1}, "`quantile`: found 1.0, wanted a number between 0 and 1"),
    ],
)
def test_options_that_do_not_fit_are_refused(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ThresholdOptionError, match=message):
        threshold(name, options)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        UnknownThresholdError, match="no threshold 'mad'; choose one of constant, history, ewma"
    ):
        threshold("mad", {})


def test_a_plugin_joins_the_table_and_takes_options(monkeypatch: pytest.MonkeyPatch) -> None:
    table = threshold_registry._with_plugins([plugin("largest", f"{HERE}:Largest")])
    assert list(table)[-1] == "largest"
    monkeypatch.setattr(threshold_registry, "_registered", lambda: table)
    made: Threshold = threshold("largest", {"factor": 2})
    assert [limit.value for limit in run(made, [1.0, 3.0, 2.0])[0]] == [None, 2.0, 6.0]


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("constant", f"{HERE}:Largest", "'constant' is taken twice"),
        ("largest", "no_such_module:Largest", "cannot be loaded: ModuleNotFoundError"),
        ("nothing", f"{HERE}:NoThreshold", "cannot be loaded: .*no dataclass"),
        ("power", f"{HERE}:Largest", "declared as 'power' .* calls itself 'largest'"),
    ],
)
def test_a_broken_plugin_is_named(name: str, value: str, complaint: str) -> None:
    with pytest.raises(ThresholdPluginError, match=complaint):
        threshold_registry._with_plugins([plugin(name, value)])


def _null_scores(rng: np.random.Generator, windows: int) -> FloatArray:
    """PSI of 10 groups without drift, in units of its scale: chi-square with 9 degrees of freedom."""
    return rng.chisquare(9, windows)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("options", "rate"),
    # Nominally .0013; of a skewed score and so few windows it is ten to thirty times that.
    [
        ({"windows": 10, "least": 10}, 0.03),
        ({"windows": 48}, 0.013),
        ({"windows": 48, "exceeding": "learn"}, 0.012),
        ({"windows": 48, "exceeding": "skip"}, 0.018),
    ],
)
def test_mean_and_three_deviations_fire_more_often_than_people_think(
    options: dict[str, object], rate: float
) -> None:
    scores = _null_scores(np.random.default_rng(7), 12_000).tolist()
    limits, _ = run(threshold("history", options), scores)
    fired = np.mean([exceeds(s, limit) for s, limit in zip(scores, limits, strict=True)])
    assert fired == pytest.approx(rate, rel=0.3)


@pytest.mark.statistical
def test_a_quantile_of_chunks_is_exceeded_as_often_as_it_says() -> None:
    rng = np.random.default_rng(8)
    judge = threshold("reference", {"quantile": 0.9}).judge
    fired = []
    for _ in range(60):
        # Each window and chunk of 50 rows has shares of its own, so that a chi-square law would be wrong.
        chunks = np.array([rng.multinomial(50, share) for share in rng.dirichlet([8, 8, 8, 8], size=60)])
        windows = np.array([rng.multinomial(50, share) for share in rng.dirichlet([8, 8, 8, 8], size=40)])
        of = Summary(
            kind=Kind.CATEGORICAL,
            counts=chunks.sum(axis=0),
            groups=np.arange(4),
            continuous=False,
            calibration=Calibration(chunks=chunks, ordered=False),
        )
        for window in windows:
            score = Psi().compare(of, _counts(window)).score
            assert score is not None
            fired.append(exceeds(score, judge((), scored(score, n=50, of=of))[0]))
    # ceil(61 * .9) = 55 of 60 chunks lie below: 6 in 61. Four standard errors, of 60 references.
    assert np.mean(fired) == pytest.approx(6 / 61, abs=0.02)
