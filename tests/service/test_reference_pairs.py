"""Two references side by side are as far apart as the rows they were built from."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ks_2samp

from flows.config import Config, parse_config
from flows.input import config_input
from flows.reference_build import build_reference
from service.views.reference_pairs import PairedColumn, pair_of
from state.reference import Reference

ROWS = 2_000


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return parse_config(
        "model: {name: m}\ninput: {path: rows.csv}\ntime: {rows: true}\nwindows: {w: {size: 500 rows}}\n"
        "columns: {x: {kind: numeric}, whole: {kind: numeric}, c: {kind: categorical}}\n",
        folder=tmp_path,
    )


def rows_of(seed: int, *, shift: float, names: str) -> list[tuple[float, int, str]]:
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1.0, ROWS)
    whole = rng.integers(0, 5, ROWS)
    # Every name as often as the others.
    return [(float(x[i]), int(whole[i]), names[i % len(names)]) for i in range(ROWS)]


def reference_of(config: Config, rows: list[tuple[float, int, str]]) -> Reference:
    path = config.folder / "rows.csv"
    path.write_text("\n".join(["x,whole,c", *(f"{x},{whole},{c}" for x, whole, c in rows)]))
    built = build_reference(config_input(config, path), config.tracks, model="m", now_ms=0)
    return built.reference


def columns(first: Reference, second: Reference) -> dict[str, PairedColumn]:
    return {each.name: each for each in pair_of(first, second).columns}


def test_the_same_reference_is_no_distance_away(config: Config) -> None:
    reference = reference_of(config, rows_of(1, shift=0.0, names="abcd"))
    found = columns(reference, reference)
    assert [(each.distance, each.shift) for each in found.values()] == [(0.0, 0.0), (0.0, 0.0), (0.0, None)]


def test_distances_are_those_of_the_rows(config: Config) -> None:
    before, after = rows_of(1, shift=0.0, names="abcd"), rows_of(2, shift=0.5, names="abce")
    pair = pair_of(reference_of(config, before), reference_of(config, after))
    found = {each.name: each for each in pair.columns}
    x, y = (np.array([row[0] for row in side]) for side in (before, after))
    # SciPy over the rows themselves; bins hide a part of what lies within them.
    assert found["x"].distance == pytest.approx(ks_2samp(x, y).statistic, abs=0.02)
    assert found["x"].shift == pytest.approx((y.mean() - x.mean()) / x.std(), rel=1e-3)
    w, v = (np.array([row[1] for row in side]) for side in (before, after))
    assert found["whole"].distance == pytest.approx(ks_2samp(w, v).statistic, abs=1e-9)
    # A quarter of the rows has left d for e.
    assert found["c"].distance == pytest.approx(0.25)
    assert found["c"].first == "a 25%, b 25%, c 25%"
    assert pair.columns[-1].name == "whole"


def test_columns_of_one_alone_are_named(config: Config, tmp_path: Path) -> None:
    reference = reference_of(config, rows_of(1, shift=0.0, names="ab"))
    text = (
        "model: {name: m}\ninput: {path: rows.csv}\ntime: {rows: true}\nwindows: {w: {size: 500 rows}}\n"
        "columns: {x: {kind: categorical}}\n"
    )
    other = reference_of(parse_config(text, folder=tmp_path), rows_of(1, shift=0.0, names="ab"))
    pair = pair_of(reference, other)
    assert (pair.only_first, pair.only_second) == (("whole", "c"), ())
    # A number here and a category there.
    assert [(each.name, each.distance) for each in pair.columns] == [("x", None)]
