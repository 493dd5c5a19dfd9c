"""What a run says can be done next, each as a command that can be pasted."""

from pathlib import Path

import pytest

from flows.commands.run_asked import RunAsked
from flows.commands.run_next import following
from flows.workers.environment import TOGETHER
from flows.workers.program_process import environment

ASKED = RunAsked(config=Path("driftflow.yaml"), recovery=Path("snapshots"))


@pytest.mark.parametrize("together", [False, True])
def test_a_run_at_its_end_names_what_only_reads(*, together: bool) -> None:
    # Nothing that would drop the events or the snapshots that were just written.
    assert following(ASKED, (), finished=True, snapshots=True, together=together) == [
        "driftflow episodes driftflow.yaml",
        "driftflow reference show driftflow.yaml",
    ]


def test_what_was_started_with_others_goes_on_with_them() -> None:
    (alone,) = following(ASKED, (), finished=False, snapshots=True, together=False)
    (among,) = following(ASKED, (), finished=False, snapshots=True, together=True)
    assert alone == "driftflow run driftflow.yaml --recovery snapshots   (goes on from here)"
    assert among == "driftflow up driftflow.yaml --recovery snapshots   (goes on from here)"


def test_up_says_to_its_programs_that_it_started_them() -> None:
    told = environment({"PATH": "/bin"}, width=70)
    assert TOGETHER in told
    assert (told["COLUMNS"], told["PATH"]) == ("70", "/bin")
