"""The short form of bench/join: late labels beside a join of everything at once."""

from collections import defaultdict
from pathlib import Path

import pytest

from bench.join import MEASURED, errors_in, plan_of, write_configs
from bench.join_data import Made, errors, expected, write_input
from flows.inline import run_inline
from state.joined import Count, Joined
from state.report import Output
from state.stores.base import StoredEvent

ROWS = 4_000


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, list[Joined], list[Output]]:
    folder: Path = tmp_path_factory.mktemp("late")
    made = write_input(folder, ROWS)
    joined: list[Joined] = []
    outputs: list[Output] = []
    run_inline(
        plan_of(write_configs(folder)[MEASURED]),
        lambda _: None,
        on_joined=lambda _, each: joined.append(each),
        on_performance=outputs.extend,
    )
    return made, joined, outputs


def test_counts_are_those_of_a_join_of_everything_at_once(
    told: tuple[Made, list[Joined], list[Output]],
) -> None:
    made, joined, _ = told
    found = defaultdict[tuple[int, int], list[int]](lambda: [0] * len(Count))
    for known, pane, numbers in (counts for each in joined for counts in each.counts):
        found[known, pane] = [a + b for a, b in zip(found[known, pane], numbers, strict=True)]
    assert dict(found) == expected(made)


def test_final_errors_are_those_of_all_pairs_at_once(told: tuple[Made, list[Joined], list[Output]]) -> None:
    made, _, outputs = told
    found = errors_in([item.body for item in outputs if isinstance(item, StoredEvent)])
    wanted = errors(made)
    assert found.keys() == wanted.keys()
    for hour, (rows, error) in wanted.items():
        assert found[hour][0] == rows
        assert found[hour][1] == pytest.approx(error, rel=1e-12)
