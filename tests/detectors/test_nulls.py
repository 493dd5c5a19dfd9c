"""Null tables: the careful side of every look-up, and simulated laws against the detectors' own scores."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import chebyshev, cityblock
from scipy.stats import chi2, entropy

from detectors.base import Detector, FloatArray, IntArray, Summary
from detectors.calibration import Calibration, Tails
from detectors.distance_simulation import distance_tables
from detectors.divergences import Psi, jensen_shannon, psi
from detectors.energy import EnergyDistance
from detectors.group_statistics import GROUP_STATISTICS
from detectors.null_simulation import (
    DRAWS,
    SMALLEST_WINDOW,
    group_tables,
    null_tables,
)
from detectors.nulls import (
    CLOSED_FORM_ROWS,
    LEVELS,
    NullTable,
    chi_square_table,
    closed_form_from,
    upper_quantiles,
)
from detectors.registry import detector, detector_names
from detectors.testing.summaries import categorical, count_pairs, frozen_floats, frozen_ints, numeric
from detectors.transport import Wasserstein


def _shares(reference: IntArray, window: IntArray, added: float) -> tuple[FloatArray, FloatArray]:
    held = reference + window > 0
    p, q = reference[held] + added, window[held] + added
    return p / p.sum(), q / q.sum()


def _kullback_leibler(reference: IntArray, window: IntArray) -> float:
    p, q = _shares(reference, window, 0.5)
    return float(entropy(q, p))


def _hellinger(reference: IntArray, window: IntArray) -> float:
    p, q = _shares(reference, window, 0.0)
    return math.sqrt(max(0.0, 1 - float(np.sqrt(p * q).sum())))


SCALARS: dict[str, Callable[[IntArray, IntArray], float]] = {
    "psi": psi,
    "js": jensen_shannon,
    "kl": _kullback_leibler,
    "hellinger": _hellinger,
    "tv": lambda p, q: float(cityblock(p / p.sum(), q / q.sum())) / 2,
    "linf": lambda p, q: float(chebyshev(p / p.sum(), q / q.sum())),
}
"""Each in another form, by scipy where it has one."""

BY_GROUPS = tuple(detector(name) for name in GROUP_STATISTICS)


def calibrated(reference: Summary, tails: Tails | None = None) -> Summary:
    known = dataclasses.replace(reference, calibration=Calibration(tails=tails))
    return dataclasses.replace(
        reference, calibration=Calibration(tails=tails, tables=null_tables(known, detector_names()))
    )


def tails_of(rows: FloatArray, edges: FloatArray) -> Tails:
    place = np.searchsorted(edges, rows, side="left")
    scaled = (rows - rows.mean()) / rows.std()
    return Tails(
        skewness=float((scaled**3).mean()),
        excess_kurtosis=float((scaled**4).mean()) - 3,
        bin_deviations=frozen_floats([rows[place == each].std() for each in range(edges.size + 1)]),
    )


@given(count_pairs())
def test_simulated_scores_are_those_of_the_detectors(pair: tuple[list[int], list[int]]) -> None:
    reference, window = frozen_ints(pair[0]), frozen_ints(pair[1])
    assert GROUP_STATISTICS.keys() == SCALARS.keys()
    for name, statistic in GROUP_STATISTICS.items():
        both = statistic.scores(reference, np.array([window, window[::-1]]))
        wanted = [SCALARS[name](reference, side) for side in (window, window[::-1])]
        # Below 1e-7 a distance is the root of a rounding error.
        assert both == pytest.approx(wanted, rel=1e-9, abs=1e-7)


@given(st.lists(st.integers(0, 30), min_size=20, max_size=300))
def test_no_more_draws_reach_a_quantile_than_its_level_allows(drawn: list[int]) -> None:
    scores = np.array(drawn, dtype=np.float64)
    quantiles = upper_quantiles(scores)
    assert (np.diff(quantiles[np.isfinite(quantiles)]) >= 0).all()
    for level, quantile in zip(LEVELS[1:], quantiles[1:], strict=True):
        share = float((scores >= quantile).mean())
        assert share <= level
        # One standard error is held back, and a share of one draw cannot be told from none.
        assert (share + 1 / scores.size) <= max(level, 1 / scores.size) + 1 / scores.size


def test_a_table_is_read_on_the_careful_side() -> None:
    table = NullTable(
        grid=frozen_ints([100, 200]),
        levels=frozen_floats([1.0, 0.1, 0.01]),
        quantiles=frozen_floats([[0.0, 2.0, 5.0], [0.0, 3.0, math.inf]]),
        scale="v",
    )
    assert table.p_value(2.5, 99, 1.0) is None
    assert table.p_value(2.5, 100, 1.0) == 0.1
    # Between two sizes the larger chance: a score of 2.5 is not yet one in ten at 200 rows.
    assert table.p_value(2.5, 150, 1.0) == 1.0
    assert table.p_value(9.0, 100, 1.0) == 0.01
    assert table.p_value(9.0, 10**6, 1.0) == 0.1
    assert table.p_value(9.0, 100, 4.0) == 0.1
    assert table.limit(0.1, 150, 2.0) == 6.0
    assert table.limit(0.05, 100, 1.0) == 5.0
    assert table.limit(0.05, 150, 1.0) is None
    assert table.limit(0.001, 100, 1.0) is None
    assert table.limit(0.1, 99, 1.0) is None


def test_the_closed_form_is_the_chi_square_law() -> None:
    table = chi_square_table(9, 1_000, 1.0, "v")
    assert table.limit(0.05, 1_000, 0.01) == pytest.approx(0.01 * chi2.isf(0.05, 9), rel=1e-9)
    for level in (0.5, 0.05, 1e-3, 1e-9):
        found = table.p_value(0.01 * float(chi2.isf(level, 9)), 5_000, 0.01)
        assert found is not None
        # Steps of less than 15 %, and of 10 far out; never below.
        assert level * (1 - 1e-6) <= found <= level * (1.15 if level > 4e-4 else 10.1)
    assert chi_square_table(0, 1, 1.0, "v").p_value(0.0, 1, 1.0) == 1.0


def test_simulated_laws_end_in_the_closed_form() -> None:
    reference = frozen_ints([4_000, 3_000, 2_000, 1_000])
    tables = group_tables(reference, GROUP_STATISTICS)
    assert closed_form_from(reference) == 10 * CLOSED_FORM_ROWS
    for name, statistic in GROUP_STATISTICS.items():
        table = tables[name]
        assert (table.grid[0], table.grid[-1]) == (SMALLEST_WINDOW, 10 * CLOSED_FORM_ROWS)
        if statistic.factor is not None:
            closed = chi_square_table(3, 1_000, statistic.factor, statistic.scale)
            assert table.quantiles[-1].tolist() == closed.quantiles[0].tolist()
        place = int(np.flatnonzero(np.isclose(LEVELS, 0.05))[0])
        # The row before is close to it: the quantile of 5,000 draws is known to 2 %, and laws have settled.
        assert table.quantiles[-2, place] == pytest.approx(table.quantiles[-1, place], rel=0.08)


def test_what_is_simulated_beside_a_law_does_not_change_it() -> None:
    counts = frozen_ints([4_000, 300, 200, 10])
    alone, among = group_tables(counts, ["psi"]), group_tables(counts, GROUP_STATISTICS)
    assert list(alone) == ["psi"]
    assert alone["psi"].quantiles.tolist() == among["psi"].quantiles.tolist()
    assert group_tables(counts, ["ks"]) == {}


def test_the_same_reference_has_the_same_tables() -> None:
    counts = frozen_ints([700, 200, 90, 10, 0])
    one, other = group_tables(counts, GROUP_STATISTICS), group_tables(counts[::-1], GROUP_STATISTICS)
    for name in GROUP_STATISTICS:
        assert one[name].quantiles.tolist() == other[name].quantiles.tolist()
    # Bins of about equal share have one table, whatever a row more or less does to them.
    nearly = group_tables(frozen_ints([2_001, 1_999, 2_003, 1_997]), GROUP_STATISTICS)
    assert group_tables(frozen_ints([2_000] * 4), GROUP_STATISTICS)["psi"] is nearly["psi"]


def test_one_group_has_no_law_and_is_never_unlikely() -> None:
    reference, window = categorical([50]), categorical([9])
    for each in BY_GROUPS:
        reading = each.compare(calibrated(reference), window)
        assert (reading.score, reading.p_value) == (0.0, 1.0)


LAWS = {
    "few": [0.6, 0.25, 0.1, 0.05],
    "rare": [0.5, 0.3, 0.19, 0.005, 0.003, 0.0015, 0.0005],
    "two": [0.97, 0.03],
}


@pytest.mark.statistical
@pytest.mark.parametrize("each", BY_GROUPS, ids=lambda d: d.name)
@pytest.mark.parametrize("law", LAWS)
def test_group_laws_hold_their_level(law: str, each: Detector) -> None:
    rng = np.random.default_rng([31, len(law)])
    shares = np.array(LAWS[law])
    # Each reference is an estimate, so the level holds over references and not for each of them.
    references = [calibrated(categorical(rng.multinomial(20_000, shares).tolist())) for _ in range(6)]
    for n in (50, 300, 1_500):
        p_values: list[float] = []
        for reference in references:
            p_values += _p_values(each, reference, rng.multinomial(n, shares, 350))
        for alpha in (0.05, 0.01):
            error = 4 * math.sqrt(alpha * (1 - alpha) / len(p_values))
            assert float((np.array(p_values) <= alpha).mean()) <= alpha + error


def _p_values(each: Detector, reference: Summary, windows: IntArray) -> list[float]:
    found = [each.compare(reference, categorical(window.tolist())).p_value for window in windows]
    assert None not in found
    return [p_value for p_value in found if p_value is not None]


def _binned(rng: np.random.Generator, shape: float) -> Summary:
    rows = rng.gamma(shape, size=8_000)
    edges = frozen_floats(np.quantile(rows, np.arange(1, 32) / 32, method="inverted_cdf"))
    return calibrated(numeric(rows, edges, groups=np.zeros(32, dtype=np.int64)), tails_of(rows, edges))


@pytest.mark.statistical
@pytest.mark.parametrize("each", [Wasserstein(), EnergyDistance()], ids=lambda d: d.name)
@pytest.mark.parametrize("n", [50, 1_000])
def test_the_law_of_a_distance_holds_its_level_on_a_skewed_column(n: int, each: Detector) -> None:
    rng = np.random.default_rng([32, n])
    p_values = []
    for _ in range(4):
        reference = _binned(rng, 1.0)
        for _ in range(300):
            found = each.compare(reference, _window(reference, rng.gamma(1.0, size=n))).p_value
            assert found is not None
            p_values.append(found)
    for alpha in (0.05, 0.01):
        error = 4 * math.sqrt(alpha * (1 - alpha) / len(p_values))
        assert alpha / 3 - error <= float((np.array(p_values) <= alpha).mean()) <= alpha + error


def _window(reference: Summary, rows: FloatArray) -> Summary:
    assert reference.edges is not None
    found = numeric(rows, reference.edges, groups=reference.groups)
    return dataclasses.replace(found, edges=reference.edges, groups=reference.groups)


def test_heavy_tails_have_no_law_of_the_distance() -> None:
    rng = np.random.default_rng(33)
    light = _binned(rng, 2.0)
    assert light.calibration is not None
    assert light.calibration.tails is not None
    heavy = calibrated(light, dataclasses.replace(light.calibration.tails, excess_kurtosis=80.0))
    assert distance_tables(heavy, detector_names()) == {}
    reading = Wasserstein().compare(heavy, _window(heavy, rng.gamma(2.0, size=200)))
    assert (reading.p_value, Wasserstein().limit(heavy, 200, 0.05)) == (None, None)
    assert reading.reason == "its tails are heavy (excess kurtosis 80): no law holds"
    unknown = Wasserstein().compare(calibrated(light), _window(light, rng.gamma(2.0, size=200)))
    assert unknown.reason == "the reference has no simulated law; build it again"


@pytest.mark.parametrize("name", detector_names())
def test_a_limit_is_where_the_p_value_falls_to_its_level(name: str) -> None:
    rng = np.random.default_rng(34)
    rows = rng.normal(size=5_000)
    edges = frozen_floats(np.quantile(rows, np.arange(1, 10) / 10, method="inverted_cdf"))
    reference = calibrated(numeric(rows, edges), tails_of(rows, edges))
    limit = detector(name).limit(reference, 300, 0.05)
    assert limit is not None
    for shift in (0.0, 0.1, 0.2, 0.4):
        reading = detector(name).compare(reference, _window(reference, rng.normal(shift, 1, 300)))
        assert reading.score is not None
        assert reading.p_value is not None
        assert (abs(reading.score) >= limit) == (reading.p_value <= 0.05)


def test_without_a_table_small_groups_have_no_p_value_and_say_so() -> None:
    reading = Psi().compare(categorical([900, 90]), categorical([50, 50]))
    assert reading.p_value is None
    assert reading.reason is not None
    assert "fewer than 100 reference rows" in reading.reason
    large = Psi().compare(categorical([900, 100]), categorical([950, 50]))
    assert large.p_value is not None
    assert large.p_value <= 1e-4
    few = Psi().compare(categorical([900, 100]), categorical([50, 50]))
    assert (few.p_value, few.reason) == (None, "fewer than 1000 independent rows")
    assert DRAWS >= 1 / 0.0004
