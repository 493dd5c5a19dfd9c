"""Presets are asked the windows that other tools are asked."""

import numpy as np
import pytest

from bench.peers_case import STATIONARY, Case
from bench.peers_driftflow import reference_of
from bench.presets import PAIRS, Agreement, answers
from flows.preset_names import Preset


@pytest.fixture(scope="module", params=[True, False], ids=["numeric", "categorical"])
def case(request: pytest.FixtureRequest) -> Case:
    rng = np.random.default_rng(8)

    def draw(windows: int, rows: int, moved: float) -> np.ndarray:
        if request.param:
            return rng.normal(moved, 1.0, (windows, rows, 2))
        return rng.choice(3, (windows, rows, 2), p=[0.5 - 0.4 * moved, 0.3, 0.2 + 0.4 * moved])

    return Case(
        seed=0,
        model="two",
        numeric=request.param,
        columns=("a", "b"),
        drifted=np.array([True, True]),
        reference=draw(1, 5_000, 0.0)[0],
        phases={STATIONARY: draw(6, 500, 0.0), "moved": draw(6, 500, 1.0)},
    )


@pytest.mark.parametrize("preset", PAIRS)
def test_a_preset_calls_what_is_plain(case: Case, preset: Preset) -> None:
    found = answers(case, preset, reference_of(case))
    assert found["moved"].all()
    # Of twelve windows of a column without drift one may be called by chance; .05 is the largest level.
    assert found[STATIONARY].sum() <= 3
    assert found[STATIONARY].shape == (6, 2)


def test_agreement_is_of_verdicts_and_not_of_their_number() -> None:
    counted = Agreement()
    counted.take(np.array([[True, False, False, False]]), np.array([[False, True, False, False]]))
    assert counted.cells() == ("25.0", "25.0", "50.0")
