import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from flows.config import Config, parse_config
from flows.recovery_note import NOTE
from flows.workers.references import ReferenceWatch, lineage_text, notice
from state.generations import Lineage

CONFIG = """
model: {name: m}
input: {path: events}
time: {column: ts}
windows: {hourly: {size: 1h}}
columns: {x: {kind: numeric}}
"""

NOTED = Lineage("a", ((493_800, "b"),))
"""Pane 493,800 starts 493,800 hours after 1970-01-05, on 2026-05-06T00:00Z."""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / NOTE).write_text(
        '{"format": 1, "model": "m/1", "partitions": [], "parts": {"reference": "a"}, '
        '"later": [[493800, "b"]]}'
    )
    return parse_config(CONFIG, folder=tmp_path)


def changes_of(config: Config, answers: Sequence[Lineage]) -> list[str | None]:
    """What a watch says of one answer after the other."""
    left = list(answers)
    watch = ReferenceWatch(config, config.folder, lambda: left[0], every_s=0.001)
    found, deadline = list[str | None](), time.monotonic() + 30
    with watch.running():
        while len(found) < len(answers):
            assert time.monotonic() < deadline
            time.sleep(0.02)
            found.append(watch.change())
            left.append(left.pop(0))
    return found


def test_references_that_are_appended_are_a_change(config: Config) -> None:
    more = Lineage("a", (*NOTED.later, (493_801, "c")))
    same, changed = changes_of(config, [NOTED, more])
    assert same is None
    assert changed == (
        "references have changed (a, then b from 2026-05-06T00:00:00+00:00, then c from "
        "2026-05-06T01:00:00+00:00)"
    )


def test_another_first_one_is_told_once_and_changes_nothing(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    other = Lineage("z", ())
    assert changes_of(config, [other, other, NOTED, other]) == [None] * 4
    said = [record.message for record in caplog.records if "activated from the beginning" in record.message]
    assert len(said) == 1
    assert said[0].startswith("reference z was activated from the beginning, in the place of a")


def test_without_a_run_there_is_nothing_to_compare_with(tmp_path: Path, config: Config) -> None:
    (tmp_path / NOTE).unlink()
    assert changes_of(config, [NOTED]) == [None]


def test_a_run_without_a_supervisor_says_once_that_there_is_something_new(
    config: Config, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.workers.references.LOOK_S", 0.001)
    answers: Iterator[Lineage] = iter([Lineage("a", ()), NOTED, NOTED])
    with (
        caplog.at_level(logging.WARNING),
        notice(config, Lineage("a", ()), lambda: next(answers, NOTED)).running(),
    ):
        deadline = time.monotonic() + 30
        while not caplog.records:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.05)
    (said,) = [record.message for record in caplog.records]
    named = lineage_text(config, NOTED)
    assert said == f"references have changed ({named}): this process takes that in at its next start"
