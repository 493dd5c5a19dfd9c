"""E-values: expectations by enumeration under the laws they hold for, extremes, and what they find."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import rel_entr
from scipy.stats import multinomial, norm

from detectors.base import FloatArray, IntArray, Summary
from detectors.sequential.alternatives import Alternatives, Distance, Mix, Shares, Shifts
from detectors.sequential.evalues import EvidenceError, FeatureEvidence
from detectors.sequential.limits import kolmogorov_limit, law_radius
from detectors.testing.summaries import categorical, frozen_ints, numeric

ROWS = 6
"""Above the nearest step of the grid of sizes, where a confusion of the two would show."""
BLOCKS = {
    bins: np.array([t for t in product(range(ROWS + 1), repeat=bins) if sum(t) == ROWS]) for bins in (2, 3, 4)
}


def ordered(counts: IntArray, groups: list[int] | None = None) -> Summary:
    edges = np.arange(counts.size - 1) + 0.5
    return numeric(np.repeat(np.arange(counts.size), counts), edges, groups=groups)


def expectations(alternatives: Alternatives, law: FloatArray) -> FloatArray:
    blocks = BLOCKS[law.size]
    e_values = np.exp([alternatives.log_e(block.astype(np.float64), float(ROWS)) for block in blocks])
    return np.asarray(multinomial.pmf(blocks, ROWS, law) @ e_values)


def prepared(kind: str, counts: FloatArray, risk: float) -> Alternatives:
    if kind == "mix":
        return Mix.prepare(counts, np.arange(counts.size), risk)
    return Distance.prepare(counts, risk) if kind == "distance" else Shifts.prepare(counts, risk)


def within(kind: str, counts: FloatArray, law: FloatArray, risk: float) -> bool:
    """Tell whether the reference leaves this law possible, by the definition of each limit."""
    rows, shares = float(counts.sum()), counts / counts.sum()
    if kind == "distance":
        return bool(np.abs(law.cumsum() - shares.cumsum()).max() <= kolmogorov_limit(rows, risk))
    radius = law_radius(rows, counts.size, risk) if kind == "mix" else math.log(1 / risk) / rows
    return float(rel_entr(shares, law).sum()) <= radius


REFERENCES = st.integers(2, 4).flatmap(
    lambda bins: st.tuples(
        st.lists(st.integers(0, 300), min_size=bins, max_size=bins).filter(lambda c: sum(c) >= 5),
        st.lists(st.floats(0.001, 1), min_size=bins, max_size=bins),
    )
)


@given(REFERENCES, st.sampled_from(["distance", "shifts", "mix"]))
@settings(max_examples=150, deadline=None)
def test_expect_at_most_one_up_to_the_edge_of_what_the_reference_leaves_possible(
    drawn: tuple[list[int], list[float]], kind: str
) -> None:
    counts = np.array(drawn[0], dtype=np.float64)
    risk = 0.01
    alternatives = prepared(kind, counts, risk)
    if not alternatives.names:
        return
    reference, away = counts / counts.sum(), np.array(drawn[1]) / sum(drawn[1])
    # The last law on the way to a law far away that is still within.
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if within(kind, counts, (1 - middle) * reference + middle * away, risk):
            low = middle
        else:
            high = middle
    edge = (1 - low) * reference + low * away
    assert np.all(expectations(alternatives, edge) <= 1 + 1e-9)
    assert np.all(expectations(alternatives, reference) <= 1 + 1e-9)


@given(REFERENCES)
@settings(max_examples=60, deadline=None)
def test_shares_expect_one_at_their_limit_and_less_within(drawn: tuple[list[int], list[float]]) -> None:
    counts = np.array(drawn[0], dtype=np.float64)
    groups = np.arange(counts.size)
    alternatives = Shares.prepare(counts, groups, tuple("abcd"), 0.01)
    for component, (group, bound) in enumerate(zip(alternatives.index, alternatives.bounds, strict=True)):
        up = alternatives.signed_sizes[component] > 0
        for share, expected in ((bound, 1.0), ((1 - 0.1) * bound + 0.1 * (not up), None)):
            rest = np.where(groups == group, 0.0, np.array(drawn[1]))
            law = rest / rest.sum() * (1 - share)
            law[group] = share
            found = expectations(alternatives, law)[component]
            assert found <= 1 + 1e-9
            if expected is not None:
                assert found == pytest.approx(expected, abs=1e-9)


def test_a_quadratic_in_place_of_the_exact_mean_would_not_do() -> None:
    # The mistake that `Shifts` avoids, as a check that the enumeration above can fail: 2.9 at n = 500.
    counts = np.full(64, 400.0)
    shifts = Shifts.prepare(counts, 1e-9)
    row = shifts.names.index("scale up") + 3
    tilts, log_limits = shifts._tilted(512.0)
    quadratic = math.exp(512 * (math.log(np.exp(tilts[row]).mean()) - 5.6**2 / (2 * 512)))
    assert quadratic > 2
    assert 512 * log_limits[row] > 5.6**2 / 2 + math.log(quadratic)


@pytest.mark.parametrize("rows", [50, 500, 5_000])
@pytest.mark.parametrize("shape", ["even", "one bin holds most", "categories"])
def test_simulated_means_stay_at_one_or_below(rows: int, shape: str) -> None:
    rng = np.random.default_rng([7, rows])
    law = np.full(32, 1 / 32)
    if shape != "even":
        law = np.concatenate([[0.9], np.full(7, 0.014), [0.0019, 0.0001]])
    drawn = frozen_ints(rng.multinomial(20_000, law))
    reference = categorical(drawn.tolist()) if shape == "categories" else ordered(drawn)
    evidence = FeatureEvidence.prepare(reference, family=1, risk=0.5)
    e_values = np.exp([evidence.log_e(block) for block in rng.multinomial(rows, law, 2_000)])
    errors = e_values.std(axis=0) / math.sqrt(2_000)
    assert np.all(e_values.mean(axis=0) <= 1 + 4 * errors)


@pytest.mark.statistical
def test_limits_of_shifts_hold_for_all_sizes_and_rows_at_once() -> None:
    # The risk is shared out once per direction, so what counts is that any limit of it fails.
    counts, risk, rng = np.full(64, 31.0), 0.05, np.random.default_rng(8)
    laws = rng.dirichlet(counts, 8_000)
    shifts = Shifts.prepare(counts, risk)
    failed = np.zeros((8_000, 4), dtype=np.bool_)
    for rows in 50.0 * 2.0 ** np.arange(0, 14, 2):
        tilts, log_limits = shifts._tilted(rows)
        failed |= (laws @ np.exp(tilts).T > np.exp(log_limits)).reshape(8_000, 4, -1).any(axis=2)
    assert np.all(failed.mean(axis=0) <= risk)
    assert np.all(failed.any(axis=0))


def normal_block(rng: np.random.Generator, rows: int, mean: float = 0, deviation: float = 1) -> IntArray:
    edges = norm.ppf(np.arange(1, 64) / 64)
    return np.bincount(np.searchsorted(edges, rng.normal(mean, deviation, rows)), minlength=64)


NORMAL = ordered(frozen_ints(np.full(64, 312)), groups=[each * 10 // 64 for each in range(64)])


@pytest.mark.parametrize(
    ("mean", "deviation", "name"),
    [(0.5, 1, "mean up"), (-0.5, 1, "mean down"), (0, 1.5, "scale up"), (0, 0.67, "scale down")],
)
def test_a_shift_is_found_by_its_name(mean: float, deviation: float, name: str) -> None:
    evidence = FeatureEvidence.prepare(NORMAL, family=50)
    log_e = evidence.log_e(normal_block(np.random.default_rng(1), 500, mean, deviation))
    best = int(np.argmax(log_e + np.log(evidence.weights)))
    assert evidence.names[best] == name
    assert log_e[best] > math.log(1e4)
    opposite = name.replace("up", "DOWN").replace("down", "up").replace("DOWN", "down")
    assert all(value < 0 for value, n in zip(log_e, evidence.names, strict=True) if n == opposite)


@pytest.mark.parametrize(
    ("block", "name"), [([250, 150, 75, 0, 25], "share of new up"), ([306, 169, 0, 25, 0], "share of c down")]
)
def test_new_and_vanished_categories_are_found(block: list[int], name: str) -> None:
    evidence = FeatureEvidence.prepare(
        categorical([10_000, 6_000, 3_000, 1_000, 0]), family=50, labels=("a", "b", "c", "d", "new")
    )
    assert "share of new down" not in evidence.names
    log_e = evidence.log_e(frozen_ints(block))
    assert log_e[evidence.names.index(name) + 1] > math.log(1e4)


def test_many_small_changes_of_a_mix_are_found_by_the_mix() -> None:
    evidence = FeatureEvidence.prepare(categorical([1_000] * 20), family=1)
    # Every share a third up or down: 1.7 standard errors each.
    log_e = evidence.log_e(frozen_ints([33, 17] * 10))
    assert evidence.names[int(np.argmax(log_e + np.log(evidence.weights)))] == "mix"


@pytest.mark.parametrize("rows", [1, 50, 1_000_000])
@pytest.mark.parametrize("bin_", [0, 2, 3])
def test_everything_in_one_bin_is_finite(rows: int, bin_: int) -> None:
    counts = frozen_ints([10_000, 9_999, 1, 0])
    block = np.zeros(4, dtype=np.int64)
    block[bin_] = rows
    for reference in (ordered(counts), categorical(counts.tolist())):
        log_e = FeatureEvidence.prepare(reference, family=1_000).log_e(block)
        assert np.all(np.isfinite(log_e))
        assert (log_e.max() > math.log(1e6)) == (rows > 1)


def test_a_million_rows_of_the_reference_itself_say_nothing() -> None:
    for reference in (NORMAL, categorical([700_000, 299_000, 999, 1])):
        block = frozen_ints(reference.counts * 1_000_000 // reference.n)
        assert FeatureEvidence.prepare(reference, family=1).log_e(block).max() < 0


def test_rows_that_count_as_one_weigh_as_one() -> None:
    evidence = FeatureEvidence.prepare(NORMAL, family=1)
    block = normal_block(np.random.default_rng(2), 600, 0.2)
    tripled = evidence.log_e(3 * block, inflation=3.0)
    assert tripled == pytest.approx(evidence.log_e(block), rel=1e-9)
    wary = FeatureEvidence.prepare(NORMAL, family=1, reference_inflation=4.0)
    assert np.all(wary.log_e(block) <= evidence.log_e(block) + 1e-12)


def test_an_answer_depends_on_the_block_alone() -> None:
    rng = np.random.default_rng(3)
    blocks = [normal_block(rng, rows) for rows in (50, 5_000, 60, 500)]
    one = FeatureEvidence.prepare(NORMAL, family=1)
    forwards = [one.log_e(block).tolist() for block in blocks]
    other = FeatureEvidence.prepare(NORMAL, family=1)
    backwards = [other.log_e(block).tolist() for block in reversed(blocks)]
    assert forwards == backwards[::-1]


def test_weights_are_even_between_the_kinds_of_question() -> None:
    for reference, kinds in (
        (NORMAL, {"ks", "mean", "scale", "share"}),
        (categorical([5, 5]), {"mix", "share"}),
    ):
        evidence = FeatureEvidence.prepare(reference, family=1)
        totals = dict.fromkeys(kinds, 0.0)
        for name, weight in zip(evidence.names, evidence.weights, strict=True):
            totals[name.split()[0]] += weight
        assert totals == pytest.approx(dict.fromkeys(kinds, 1 / len(kinds)))


@pytest.mark.parametrize("counts", [[0, 0], [500], [0, 500, 0]])
def test_columns_with_nothing_to_ask_answer_nothing(counts: list[int]) -> None:
    for reference in (categorical(counts), ordered(frozen_ints(counts))):
        evidence = FeatureEvidence.prepare(reference, family=1)
        assert len(evidence.names) == evidence.weights.size
        assert np.all(evidence.log_e(frozen_ints(counts)) <= 0)
        assert np.all(evidence.log_e(frozen_ints([0] * len(counts))) == 0)


@pytest.mark.parametrize(
    "bad", [{"family": 0}, {"family": 1, "risk": 1.0}, {"family": 1, "reference_inflation": 0.5}]
)
def test_settings_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(EvidenceError, match="wanted at least 1 column"):
        FeatureEvidence.prepare(NORMAL, **bad)  # type: ignore[arg-type]  # one of each kind
