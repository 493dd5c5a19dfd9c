"""No test rejects too often, from the rows of a reference to the reading; `scripts/bench sizes` in short."""

import math

import pytest

from bench.sizes import ALPHAS, COLUMNS, Column, Sizes, measure

pytestmark = pytest.mark.statistical

REFERENCES = 5
WINDOWS = {50: 20, 1_000: 20}


@pytest.mark.parametrize("column", COLUMNS, ids=lambda c: c.name)
def test_no_test_rejects_too_often(column: Column) -> None:
    found = measure(column, references=REFERENCES, seed=23, windows=WINDOWS)
    assert any(sizes.judged for sizes in found.values())
    for (name, n), sizes in found.items():
        assert sizes.windows == REFERENCES * WINDOWS[n]
        for alpha in ALPHAS if sizes.judged else ():
            # Windows of one reference share its error, so few references are told with less certainty.
            error = 4 * math.sqrt(alpha * (1 - alpha) / sizes.judged)
            assert sizes.size(alpha) <= 1.2 * alpha + error, f"{name} at {n} rows"


@pytest.mark.parametrize("name", ["wasserstein", "mean_shift"])
def test_heavy_tails_get_a_reason_instead_of_a_p_value(name: str) -> None:
    column = next(each for each in COLUMNS if each.name == "heavy-tailed: Pareto 2.5")
    sizes: Sizes = measure(column, references=2, seed=24, windows={1_000: 5})[name, 1_000]
    assert (sizes.windows, sizes.judged) == (10, 0)
    assert all("tails" in reason for reason in sizes.reasons)
