from pathlib import Path

import numpy as np
import pytest

from bench import peers, peers_environments
from bench.peers_case import STATIONARY, Case
from bench.peers_driftflow import answers
from bench.peers_runner import by_column


def _case() -> Case:
    rng = np.random.default_rng(1)
    drift = rng.normal(size=(6, 200, 2))
    drift[:, :, 0] += 1
    return Case(
        seed=0,
        model="normal",
        numeric=True,
        columns=("a", "b"),
        drifted=np.array([True, False]),
        reference=rng.normal(size=(2_000, 2)),
        phases={STATIONARY: rng.normal(size=(10, 200, 2)), "shift": drift},
    )


def test_every_rule_of_driftflow_finds_one_standard_deviation_at_once_and_nothing_before() -> None:
    found = dict(answers(_case()))
    assert len(found) == 5
    for rule, said in found.items():
        assert not said[STATIONARY].any() or rule == "driftflow q <= .05"
        assert said["shift"][:, 0].all(), rule


def test_other_tools_are_asked_about_columns_whose_answer_counts() -> None:
    said = by_column(_case(), lambda _: lambda window: window.size > 0)
    assert said[STATIONARY].all()
    assert said["shift"].all(axis=0).tolist() == [True, False]
    assert not said["shift"][:, 1].any()


def test_a_tool_that_is_not_there_is_named_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers_environments, "HOME", tmp_path)
    (tmp_path / "cases.json").write_text("[]")
    collected = peers.collect(tmp_path)
    assert collected.missing == dict.fromkeys(peers.TOOLS, "not installed")
    peers.report(collected, numeric=True)
    shown = capsys.readouterr().out
    assert all(tool in shown for tool in peers.TOOLS)
    assert shown.count("not installed") == len(peers.TOOLS)
